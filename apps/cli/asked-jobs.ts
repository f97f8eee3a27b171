/** Owns the shapes of what is asked for of servers and campaigns on AWS: reboots, backups, root volumes, decisions. */
import type { CommonArguments } from './asked.ts';

export interface RebootRequest extends CommonArguments {
  /** Id or name. */
  readonly server: string;
  readonly reason: string;
  readonly mode: 'if-needed' | 'always';
  /** Undefined: the policy's next window, or now where a length is given. */
  readonly start: string | undefined;
  readonly minutes: number | undefined;
}

export interface OneServer extends CommonArguments {
  readonly serverId: string;
}

export interface RebootCancel extends OneServer {
  readonly reason: string;
}

/** One of the two. */
export interface BackupsArguments extends CommonArguments {
  readonly campaignId: string | undefined;
  readonly serverId: string | undefined;
}

export interface RestoreArguments extends CommonArguments {
  /** Undefined: as many as the function takes by itself. */
  readonly count: number | undefined;
}

export interface RootVolumeRequest extends OneServer {
  readonly campaignId: string;
  readonly reason: string;
}

export interface RootVolumeDecision extends RootVolumeRequest {
  readonly snapshotId: string;
  readonly approved: boolean;
}

export interface OneCampaign extends CommonArguments {
  readonly campaignId: string;
}

export interface RollbackRequest extends OneCampaign {
  /** Ids or names; undefined is all that the campaign patched. */
  readonly servers: readonly string[] | undefined;
  readonly to: string;
  readonly dryRun: boolean;
  readonly reason: string;
}

export interface ZonesAsk extends CommonArguments {
  /** Names or ids; undefined is all that are active. */
  readonly servers: readonly string[] | undefined;
}

export interface ZonesShow extends CommonArguments {
  /** Whether the list is shown to its end. */
  readonly all: boolean;
}

export interface CampaignStop extends OneCampaign {
  readonly reason: string;
}

export interface CampaignDecision extends CampaignStop {
  /** SHA-256 of the sealed plans that the person has seen. */
  readonly root: string;
  readonly approved: boolean;
}

export type JobCommandLine =
  | { readonly kind: 'reboot request'; readonly arguments: RebootRequest }
  | { readonly kind: 'reboot show'; readonly arguments: OneServer }
  | { readonly kind: 'reboot cancel'; readonly arguments: RebootCancel }
  | { readonly kind: 'backups list' | 'backups verify'; readonly arguments: BackupsArguments }
  | { readonly kind: 'backups test'; readonly arguments: RestoreArguments }
  | { readonly kind: 'root-volume request'; readonly arguments: RootVolumeRequest }
  | { readonly kind: 'root-volume decide'; readonly arguments: RootVolumeDecision }
  | { readonly kind: 'rollback request'; readonly arguments: RollbackRequest }
  | { readonly kind: 'rollback show'; readonly arguments: OneCampaign }
  | { readonly kind: 'zones ask'; readonly arguments: ZonesAsk }
  | { readonly kind: 'zones show'; readonly arguments: ZonesShow }
  | { readonly kind: 'campaign stop'; readonly arguments: CampaignStop }
  | { readonly kind: 'campaign approve' | 'campaign deny'; readonly arguments: CampaignDecision };
