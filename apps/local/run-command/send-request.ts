/** Owns what SendCommand refuses before anything is sent: limits, ids, document, hash, parameters. */
import { pageLimit, RunCommandError, type SendCommandRequest } from './api.ts';
import { documentSizeLimit } from './document.ts';
import type { DocumentRegistry, DocumentVersion } from './document-registry.ts';
import { type ResolvedParameters, resolveParameters } from './parameters.ts';

export interface AcceptedRequest {
  readonly version: DocumentVersion;
  readonly parameters: ResolvedParameters;
  /** Seconds. */
  readonly deliveryTimeout: number;
  readonly concurrency: number;
  readonly errorBudget: number;
}

/** @throws RunCommandError; nothing was sent to any server then */
export function acceptRequest(
  request: SendCommandRequest,
  documents: DocumentRegistry,
  known: (instanceId: string) => boolean,
): AcceptedRequest {
  const deliveryTimeout = request.TimeoutSeconds ?? 3600;
  if (deliveryTimeout < 30 || deliveryTimeout > 2_592_000)
    throw invalid(`TimeoutSeconds is ${deliveryTimeout}, and 30 to 2592000 are allowed`);
  if ((request.Comment ?? '').length > 100)
    throw invalid(`Comment has ${request.Comment?.length} characters, and 100 are allowed`);
  checkServers(request.InstanceIds, known);
  const version = documents.find(request.DocumentName, request.DocumentVersion);
  checkHash(request, version);
  const parameters = resolveParameters(version.document, request.Parameters ?? {});
  const size =
    Buffer.byteLength(version.content) + Buffer.byteLength(JSON.stringify(request.Parameters ?? {}));
  if (size > documentSizeLimit)
    throw new RunCommandError(
      'MaxDocumentSizeExceeded',
      `document ${version.name} and its parameters have ${size} bytes, and ${documentSizeLimit} are allowed`,
    );
  const total = request.InstanceIds.length;
  return {
    version,
    parameters,
    deliveryTimeout,
    concurrency: Math.max(1, share('MaxConcurrency', request.MaxConcurrency ?? '50', total)),
    errorBudget: share('MaxErrors', request.MaxErrors ?? '0', total),
  };
}

function checkServers(instanceIds: readonly string[], known: (instanceId: string) => boolean): void {
  if (instanceIds.length < 1 || instanceIds.length > pageLimit)
    throw invalid(`InstanceIds has ${instanceIds.length} ids, and 1 to ${pageLimit} are allowed`);
  if (new Set(instanceIds).size < instanceIds.length)
    throw new RunCommandError('DuplicateInstanceId', 'InstanceIds names a server twice');
  const unknown = instanceIds.filter((id) => !known(id));
  if (unknown.length > 0)
    throw new RunCommandError('InvalidInstanceId', `not managed here: ${unknown.join(', ')}`);
}

function checkHash(request: SendCommandRequest, version: DocumentVersion): void {
  if (request.DocumentHash === undefined) return;
  if ((request.DocumentHashType ?? 'Sha256') !== 'Sha256')
    throw invalid(`DocumentHashType is ${request.DocumentHashType}, and only Sha256 is known`);
  if (request.DocumentHash !== version.hash)
    throw new RunCommandError(
      'InvalidDocument',
      `version ${version.version} of document ${version.name} has another hash than ${request.DocumentHash}`,
    );
}

/** A count, or a percentage of the servers, which is rounded up as the console says. */
function share(name: string, text: string, total: number): number {
  const match = /^(\d+)(%?)$/.exec(text);
  if (!match) throw invalid(`${name} is ${text}: write a count or a percentage`);
  return match[2] ? Math.ceil((Number(match[1]) * total) / 100) : Number(match[1]);
}

function invalid(message: string): RunCommandError {
  return new RunCommandError('ValidationException', message);
}
