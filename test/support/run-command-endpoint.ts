/** Owns the local Run Command behind HTTP, in the words of the SSM API: what the SDK's client is tested against. */
import {
  type CancelCommandRequest,
  type DescribeInstanceInformationRequest,
  type InstanceInformation,
  RunCommandError,
} from '../../apps/local/run-command/api.ts';
import {
  describeInstanceInformation,
  listCommandInvocations,
  listCommands,
} from '../../apps/local/run-command/listing.ts';
import type { RunCommand } from '../../apps/local/run-command/service.ts';
import { type JsonEndpoint, type Operations, serveJson } from './json-endpoint.ts';

export type RunCommandEndpoint = JsonEndpoint;

/** What SSM knows of a node beside its agent. */
export interface NodeDetails {
  readonly platform: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * @param contentOf of a document, by name and version: the service keeps what it parsed
 * @param detailsOf a node, by its id
 */
export function serveRunCommand(
  service: RunCommand,
  contentOf: (name: string, version: string) => string,
  detailsOf: (id: string) => NodeDetails = () => ({ platform: '', tags: {} }),
): Promise<RunCommandEndpoint> {
  const operations: Operations = {
    SendCommand: (input) => service.sendCommand(input),
    ListCommands: (input) => listCommands(service, input),
    ListCommandInvocations: (input) => listCommandInvocations(service, input),
    CancelCommand: (input: CancelCommandRequest) => service.cancelCommand(input),
    DescribeInstanceInformation: (input: DescribeInstanceInformationRequest) =>
      describeNodes(service, input, detailsOf),
    DescribeDocument: (input) => ({ Document: service.describeDocument(input) }),
    GetDocument: ({ Name, DocumentVersion }: { Name: string; DocumentVersion: string }) => ({
      Name,
      DocumentVersion,
      DocumentFormat: 'JSON',
      Content: contentOf(Name, DocumentVersion),
    }),
    ListTagsForResource: ({ ResourceId }: { ResourceId: string }) => ({
      TagList: Object.entries(detailsOf(ResourceId).tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  };
  return serveJson(operations, (error) => error instanceof RunCommandError);
}

/** Tags are no matter of the agent: SSM filters by them as it filters by anything else. */
function describeNodes(
  service: RunCommand,
  { Filters = [], ...request }: DescribeInstanceInformationRequest,
  detailsOf: (id: string) => NodeDetails,
) {
  const byTag = Filters.filter(({ Key }) => Key.startsWith('tag:'));
  const ids = service
    .instances()
    .map(({ InstanceId }) => InstanceId)
    .filter((id) =>
      byTag.every(({ Key, Values }) => Values.includes(detailsOf(id).tags[Key.slice(4)] ?? '')),
    );
  const others = Filters.filter((filter) => !byTag.includes(filter));
  const wanted = byTag.length > 0 ? [...others, { Key: 'InstanceIds', Values: ids }] : others;
  const { InstanceInformationList, ...more } = describeInstanceInformation(service, {
    ...request,
    Filters: wanted,
  });
  const detailed = (node: InstanceInformation) => ({
    ...node,
    PlatformName: detailsOf(node.InstanceId).platform,
  });
  return { InstanceInformationList: InstanceInformationList.map(detailed), ...more };
}
