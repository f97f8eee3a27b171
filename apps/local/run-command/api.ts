/** Owns the requests and answers of the local Run Command: the fields of the SSM API that it honours, by their names. */

/** As many command ids and server ids as one call takes, and as many rows as one page holds. */
export const pageLimit = 50;

export type ErrorCode =
  | 'ValidationException'
  | 'DuplicateInstanceId'
  | 'InvalidCommandId'
  | 'InvalidDocument'
  | 'InvalidDocumentContent'
  | 'InvalidDocumentVersion'
  | 'InvalidFilterKey'
  | 'InvalidInstanceId'
  | 'InvalidNextToken'
  | 'InvalidParameters'
  | 'InvalidPluginName'
  | 'InvocationDoesNotExist'
  | 'MaxDocumentSizeExceeded';

/** A refusal, named as the SSM API names it. */
export class RunCommandError extends Error {
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = code;
  }
}

export type Status =
  | 'Pending'
  | 'InProgress'
  | 'Delayed'
  | 'Success'
  | 'Cancelled'
  | 'TimedOut'
  | 'Failed'
  | 'Cancelling';

export type StatusDetails =
  | 'Pending'
  | 'In Progress'
  | 'Delayed'
  | 'Success'
  | 'Failed'
  | 'Delivery Timed Out'
  | 'Execution Timed Out'
  | 'Undeliverable'
  | 'Cancelling'
  | 'Cancelled'
  | 'Terminated';

/** The coarse word that `Status` says for each detailed one. */
export const statusOf: Readonly<Record<StatusDetails, Status>> = {
  Pending: 'Pending',
  'In Progress': 'InProgress',
  Delayed: 'Delayed',
  Success: 'Success',
  Failed: 'Failed',
  'Delivery Timed Out': 'TimedOut',
  'Execution Timed Out': 'TimedOut',
  Undeliverable: 'Failed',
  Cancelling: 'Cancelling',
  Cancelled: 'Cancelled',
  Terminated: 'Failed',
};

/** Seconds since 1970, as dates are in the JSON of the SSM API. */
type DateTime = number;

export type ParameterValues = Readonly<Record<string, readonly string[]>>;

export interface SendCommandRequest {
  readonly DocumentName: string;
  readonly DocumentVersion?: string;
  readonly DocumentHash?: string;
  readonly DocumentHashType?: string;
  readonly InstanceIds: readonly string[];
  readonly Parameters?: ParameterValues;
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
  readonly MaxConcurrency?: string;
  readonly MaxErrors?: string;
  readonly OutputS3BucketName?: string;
  readonly OutputS3KeyPrefix?: string;
}

export interface Command {
  readonly CommandId: string;
  readonly DocumentName: string;
  readonly DocumentVersion: string;
  readonly Comment: string;
  readonly ExpiresAfter: DateTime;
  readonly Parameters: ParameterValues;
  readonly InstanceIds: readonly string[];
  readonly RequestedDateTime: DateTime;
  readonly Status: Status;
  readonly StatusDetails: StatusDetails | 'Incomplete';
  readonly OutputS3BucketName: string;
  readonly OutputS3KeyPrefix: string;
  readonly MaxConcurrency: string;
  readonly MaxErrors: string;
  readonly TargetCount: number;
  readonly CompletedCount: number;
  readonly ErrorCount: number;
  readonly DeliveryTimedOutCount: number;
  readonly TimeoutSeconds: number;
}

interface CommandPlugin {
  readonly Name: string;
  readonly Status: Status;
  readonly StatusDetails: string;
  readonly ResponseCode: number;
  readonly ResponseStartDateTime: DateTime;
  readonly ResponseFinishDateTime: DateTime;
  readonly Output: string;
}

export interface CommandInvocation {
  readonly CommandId: string;
  readonly InstanceId: string;
  readonly InstanceName: string;
  readonly Comment: string;
  readonly DocumentName: string;
  readonly DocumentVersion: string;
  readonly RequestedDateTime: DateTime;
  readonly Status: Status;
  readonly StatusDetails: StatusDetails;
  readonly TraceOutput: string;
  readonly CommandPlugins: readonly CommandPlugin[];
}

export interface CommandFilter {
  readonly key: string;
  readonly value: string;
}

export interface PageRequest {
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

export interface ListCommandsRequest extends PageRequest {
  readonly CommandId?: string;
  readonly InstanceId?: string;
  readonly Filters?: readonly CommandFilter[];
}

export interface ListCommandInvocationsRequest extends ListCommandsRequest {
  readonly Details?: boolean;
}

export interface GetCommandInvocationRequest {
  readonly CommandId: string;
  readonly InstanceId: string;
  readonly PluginName?: string;
}

export interface GetCommandInvocationResult {
  readonly CommandId: string;
  readonly InstanceId: string;
  readonly Comment: string;
  readonly DocumentName: string;
  readonly DocumentVersion: string;
  readonly PluginName: string;
  readonly ResponseCode: number;
  /** ISO 8601, or empty while the step has not run. */
  readonly ExecutionStartDateTime: string;
  readonly ExecutionEndDateTime: string;
  readonly Status: Status;
  readonly StatusDetails: string;
  readonly StandardOutputContent: string;
  readonly StandardErrorContent: string;
}

export interface CancelCommandRequest {
  readonly CommandId: string;
  readonly InstanceIds?: readonly string[];
}

export interface InstanceInformation {
  readonly InstanceId: string;
  readonly PingStatus: 'Online' | 'ConnectionLost';
  readonly LastPingDateTime: DateTime;
  readonly AgentVersion: string;
  readonly PlatformType: 'Linux';
  readonly ResourceType: 'EC2Instance' | 'ManagedInstance';
  readonly ComputerName: string;
}

export interface DescribeInstanceInformationRequest extends PageRequest {
  readonly Filters?: readonly { readonly Key: string; readonly Values: readonly string[] }[];
}

export interface DocumentDescription {
  readonly Name: string;
  readonly Hash: string;
  readonly HashType: 'Sha256';
  readonly DocumentVersion: string;
  readonly LatestVersion: string;
  readonly DefaultVersion: string;
  readonly DocumentType: 'Command';
  readonly SchemaVersion: string;
  readonly Status: 'Active';
  readonly CreatedDate: DateTime;
}

/** What EventBridge delivers of a status change. */
export interface InvocationEvent {
  readonly id: string;
  readonly source: 'aws.ssm';
  readonly 'detail-type': 'EC2 Command Invocation Status-change Notification';
  readonly account: string;
  readonly region: string;
  /** ISO 8601 with whole seconds. */
  readonly time: string;
  readonly resources: readonly string[];
  readonly detail: {
    readonly 'command-id': string;
    readonly 'document-name': string;
    readonly 'instance-id': string;
    readonly 'requested-date-time': string;
    readonly status: Status;
  };
}
