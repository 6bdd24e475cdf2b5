// Prompts.tsx - the Prompts page: a tab for each type, with its versions.
import { useSearchParams } from 'wouter';
import { PageHeader } from '../../components/PageHeader';
import { Tabs } from '../../components/Tabs';
import { Versions } from './components/Versions';
import type { PromptType } from './placeholders';
import '../../styles/lists.css';
import './prompts.css';

const labels: Record<PromptType, string> = {
    image_generation: 'Image Generation',
    sentinel: 'Sentinel',
    coach: 'Coach',
};
const types = Object.keys(labels) as PromptType[];
const tabs = types.map((type) => ({ value: type, label: labels[type] }));

export default function Prompts() {
    const [search, setSearch] = useSearchParams();
    const type = types.find((one) => one === search.get('type')) ?? types[0]!;

    return (
        <div className="page">
            <PageHeader title="Prompts" />
            <Tabs label="Types of prompts" tabs={tabs} value={type} onChange={(chosen) => setSearch({ type: chosen })}>
                <Versions key={type} type={type} label={labels[type]} />
            </Tabs>
        </div>
    );
}
