/** Owns the two calls of EC2 about root volume tasks that moto lacks, in EC2's own XML: by tokens, and told until they end. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RootVolumeEndpoint {
  readonly url: string;
  /** Fields of each CreateReplaceRootVolumeTask, as they were sent. */
  readonly asked: readonly Readonly<Record<string, string>>[];
  /** From now on tasks are told in this state. */
  tell(state: string, completeTime?: string): void;
  close(): Promise<void>;
}

export async function serveRootVolumes(): Promise<RootVolumeEndpoint> {
  const tasks = new Map<string, { readonly id: string; readonly fields: Readonly<Record<string, string>> }>();
  const asked: Record<string, string>[] = [];
  let state = 'pending';
  let completeTime: string | undefined;
  const told = (id: string, fields: Readonly<Record<string, string>>) =>
    `<replaceRootVolumeTaskId>${id}</replaceRootVolumeTaskId><instanceId>${fields.InstanceId}</instanceId>` +
    `<snapshotId>${fields.SnapshotId}</snapshotId><taskState>${state}</taskState>` +
    `<deleteReplacedRootVolume>${fields.DeleteReplacedRootVolume}</deleteReplacedRootVolume>` +
    (completeTime ? `<completeTime>${completeTime}</completeTime>` : '');
  const answer = (fields: Record<string, string>): [status: number, body: string] => {
    if (fields.Action === 'CreateReplaceRootVolumeTask') {
      asked.push(fields);
      const token = fields.ClientToken ?? '';
      const task = tasks.get(token) ?? {
        id: `replacevol-${String(tasks.size + 1).padStart(17, '0')}`,
        fields,
      };
      tasks.set(token, task);
      return [200, `<replaceRootVolumeTask>${told(task.id, task.fields)}</replaceRootVolumeTask>`];
    }
    const wanted = fields['ReplaceRootVolumeTaskId.1'];
    const task = [...tasks.values()].find(({ id }) => id === wanted);
    if (task === undefined)
      return [400, `<Code>InvalidReplaceRootVolumeTaskID.NotFound</Code><Message>${wanted}</Message>`];
    return [
      200,
      `<replaceRootVolumeTaskSet><item>${told(task.id, task.fields)}</item></replaceRootVolumeTaskSet>`,
    ];
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fields = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
    const [status, body] = answer(fields);
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(
      status === 200
        ? `<${fields.Action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${body}</${fields.Action}Response>`
        : `<Response><Errors><Error>${body}</Error></Errors></Response>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    tell(next, at) {
      state = next;
      completeTime = at;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
