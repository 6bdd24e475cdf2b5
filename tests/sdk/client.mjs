/* client.mjs - Google's own client, of the major that is asked for, as both programs here use it. */

const [, , major, baseUrl, apiKey] = process.argv;

export { major, baseUrl, apiKey };

/* The package under its alias. Says so, and ends with 3, where this Node cannot run it. */
export async function load() {
    try {
        return await import(`genai${major}`);
    }
    catch (error) {
        console.log(`# ${String(error.message).split('\n')[0]}`);
        process.exit(3);
    }
}

export async function client(httpOptions = {}) {
    const { GoogleGenAI } = await load();

    return new GoogleGenAI({ apiKey, httpOptions: { baseUrl, ...httpOptions } });
}
