/** Owns calls to services that the product has no client of: what makes and plays the resources of a stack needs them. */

export interface AwsApi {
  /** @param target as of `x-amz-target`: `AmazonSQS.ReceiveMessage` */
  json(service: string, target: string, input: object): Promise<Record<string, unknown>>;
  /** @returns XML */
  query(service: string, version: string, action: string, input: Record<string, string>): Promise<string>;
  get(service: string, path: string): Promise<Record<string, unknown>>;
}

/** Signs with nothing but the name of the caller: for servers that check no signature. */
export function createAwsApi(endpoint: string, region: string, caller = 'test'): AwsApi {
  const call = async (service: string, path: string, init: RequestInit) => {
    const scope = `${caller}/20261121/${region}/${service}/aws4_request`;
    const response = await fetch(new URL(path, endpoint), {
      ...init,
      headers: { ...init.headers, authorization: `AWS4-HMAC-SHA256 Credential=${scope}` },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${service} answered ${response.status}: ${text.slice(0, 2000)}`);
    return text;
  };
  return {
    async json(service, target, input) {
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
      const text = await call(service, '/', { method: 'POST', headers, body: JSON.stringify(input) });
      return text === '' ? {} : JSON.parse(text);
    },
    query: (service, Version, Action, input) =>
      call(service, '/', { method: 'POST', body: new URLSearchParams({ Action, Version, ...input }) }),
    get: async (service, path) => JSON.parse(await call(service, path, {})),
  };
}
