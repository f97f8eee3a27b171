/** Owns what a request to AWS says of itself on the wire: who signed it, for which service, and what it asks. */
import type { IncomingHttpHeaders } from 'node:http';

export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AskedCall {
  /** The access key id that signed; `anonymous` when nobody did. */
  readonly key: string;
  /** The name that signatures give it: `dynamodb`, `s3`, `sns`, `sqs`, `ec2`, `ssm`, `states`, `sts`. */
  readonly service: string;
  readonly region: string;
  /** `PutItem`; of REST services that name no operation, method and path. */
  readonly operation: string;
  /** JSON as it was sent; the fields of a form; of S3 `Bucket`, `Key` and the query. */
  readonly input: Readonly<Record<string, unknown>>;
}

/** Of a REST service that says neither its operation nor where in the request a field is. */
function scheduleCall(
  { method, body }: WireRequest,
  pathname: string,
  query: URLSearchParams,
): Pick<AskedCall, 'operation' | 'input'> {
  const [collection = '', name] = pathname.slice(1).split('/').map(decodeURIComponent);
  const verb = name === undefined ? 'List' : scheduleVerbs[method];
  if (collection !== 'schedules' || verb === undefined)
    return { operation: `${method} ${pathname}`, input: {} };
  const group = query.get('groupName') ?? query.get('ScheduleGroup');
  const input = {
    ...(name !== undefined && { Name: name }),
    ...(group !== null && { GroupName: group }),
    ...(body.length > 0 && JSON.parse(body.toString('utf8'))),
  };
  return { operation: name === undefined ? 'ListSchedules' : `${verb}Schedule`, input };
}

const scheduleVerbs: Readonly<Record<string, string>> = {
  GET: 'Get',
  POST: 'Create',
  PUT: 'Update',
  DELETE: 'Delete',
};

const credential = /Credential=([^/]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/;

export function readCall(request: WireRequest): AskedCall {
  const { method, url, headers, body } = request;
  const signed = credential.exec(headers.authorization ?? '');
  const [key, region, service] = [signed?.[1] ?? 'anonymous', signed?.[2] ?? '', signed?.[3] ?? ''];
  const { pathname, searchParams } = new URL(url, 'http://aws');
  const caller = { key, service, region };
  const target = headers['x-amz-target'];
  if (typeof target === 'string') {
    const operation = target.slice(target.indexOf('.') + 1);
    return { ...caller, operation, input: body.length > 0 ? JSON.parse(body.toString('utf8')) : {} };
  }
  if (service === 's3') {
    const [Bucket = '', ...key] = pathname.slice(1).split('/').map(decodeURIComponent);
    const { 'x-id': operation, ...query } = Object.fromEntries(searchParams);
    const input = { Bucket, ...(key.length > 0 && { Key: key.join('/') }), ...query };
    // Alone of those that we make it names itself by its method.
    const named = method === 'HEAD' && key.length > 0 ? 'HeadObject' : operation;
    return { ...caller, operation: named ?? `${method} ${pathname}`, input };
  }
  if (service === 'scheduler') return { ...caller, ...scheduleCall(request, pathname, searchParams) };
  const form = Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  if (form.Action === undefined) return { ...caller, operation: `${method} ${pathname}`, input: {} };
  const { Action: operation, Version: _, ...input } = form;
  return { ...caller, operation, input };
}
