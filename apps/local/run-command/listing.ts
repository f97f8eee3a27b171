/** Owns the paged lists of Run Command: commands, invocations and managed instances. */

import { millisOf } from '../../../core/instant.ts';
import {
  type Command,
  type CommandFilter,
  type CommandInvocation,
  type DescribeInstanceInformationRequest,
  type InstanceInformation,
  type ListCommandInvocationsRequest,
  type ListCommandsRequest,
  type PageRequest,
  pageLimit,
  RunCommandError,
  statusOf,
} from './api.ts';
import { type CommandRecord, showCommand, showInvocation } from './command-record.ts';
import type { RunCommand } from './service.ts';

interface Page<T> {
  readonly rows: readonly T[];
  readonly NextToken?: string;
}

export function listCommands(
  service: RunCommand,
  request: ListCommandsRequest,
): { Commands: readonly Command[]; NextToken?: string } {
  const shown = select(service, request)
    .map(showCommand)
    .filter((command) => wantedStatus(request.Filters, command.Status));
  const { rows, ...more } = page(shown, request);
  return { Commands: rows, ...more };
}

export function listCommandInvocations(
  service: RunCommand,
  request: ListCommandInvocationsRequest,
): { CommandInvocations: readonly CommandInvocation[]; NextToken?: string } {
  const found = select(service, request).flatMap((command) =>
    [...command.invocations.values()]
      .filter(({ instanceId }) => request.InstanceId === undefined || request.InstanceId === instanceId)
      .filter(({ details }) => wantedStatus(request.Filters, statusOf[details]))
      .map((invocation) => ({ command, invocation })),
  );
  const { rows, ...more } = page(found, request);
  return {
    CommandInvocations: rows.map(({ command, invocation }) =>
      showInvocation(command, invocation, request.Details ?? false),
    ),
    ...more,
  };
}

export function describeInstanceInformation(
  service: RunCommand,
  request: DescribeInstanceInformationRequest,
): { InstanceInformationList: readonly InstanceInformation[]; NextToken?: string } {
  const wanted = (instance: InstanceInformation) =>
    (request.Filters ?? []).every(({ Key, Values }) => {
      if (Key === 'InstanceIds') return Values.includes(instance.InstanceId);
      if (Key === 'PingStatus') return Values.includes(instance.PingStatus);
      throw new RunCommandError('InvalidFilterKey', `cannot filter instances by ${Key}`);
    });
  const ids = request.Filters?.find(({ Key }) => Key === 'InstanceIds')?.Values;
  const { rows, ...more } = page(service.instances(ids).filter(wanted), request);
  return { InstanceInformationList: rows, ...more };
}

function select(service: RunCommand, request: ListCommandsRequest): readonly CommandRecord[] {
  const all = request.CommandId === undefined ? service.commands() : [service.find(request.CommandId)];
  return all.filter(
    (command) =>
      (request.InstanceId === undefined || command.invocations.has(request.InstanceId)) &&
      (request.Filters ?? []).every((filter) => passes(command, filter)),
  );
}

function passes(command: CommandRecord, { key, value }: CommandFilter): boolean {
  switch (key) {
    case 'InvokedAfter':
      return command.requestedAt >= millisOf(value);
    case 'InvokedBefore':
      return command.requestedAt < millisOf(value);
    case 'DocumentName':
      return command.version.name === value;
    case 'Status':
      // Of commands or of invocations, whichever is listed: see wantedStatus.
      return true;
    default:
      throw new RunCommandError('InvalidFilterKey', `cannot filter commands by ${key}`);
  }
}

function wantedStatus(filters: readonly CommandFilter[] | undefined, status: string): boolean {
  return (filters ?? []).every(({ key, value }) => key !== 'Status' || value === status);
}

/** The token is the place in the list: a command sent between two pages makes a row appear twice, never be left out. */
function page<T>(all: readonly T[], { MaxResults = pageLimit, NextToken = '0' }: PageRequest): Page<T> {
  if (!/^\d+$/.test(NextToken))
    throw new RunCommandError('InvalidNextToken', `${NextToken} came from no earlier page`);
  if (MaxResults < 1 || MaxResults > pageLimit)
    throw new RunCommandError(
      'ValidationException',
      `MaxResults is ${MaxResults}, and 1 to ${pageLimit} are allowed`,
    );
  const start = Number(NextToken);
  const end = start + MaxResults;
  const rows = all.slice(start, end);
  return end < all.length ? { rows, NextToken: String(end) } : { rows };
}
