/* client.mjs - Google's own client in the requested major version, for both programs here. */

const [, , major, baseUrl, apiKey] = process.argv;

export { major, baseUrl, apiKey };

/* Load the package under its alias. If this Node cannot run it, print the reason and exit with 3. */
export async function load() {
    try {
        return await import(`genai${major}`);
    } catch (error) {
        console.log(`# ${String(error.message).split('\n')[0]}`);
        process.exit(3);
    }
}

export async function client(httpOptions = {}) {
    const { GoogleGenAI } = await load();

    return new GoogleGenAI({ apiKey, httpOptions: { baseUrl, ...httpOptions } });
}
