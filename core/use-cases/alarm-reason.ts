/** Asks CloudWatch whether the alarms of a policy let a wave begin, or call it verified. */
import type { Reason } from '../outcome.ts';
import { type AlarmState, PortError, type Ports } from '../ports.ts';
import { type Place, placeKey } from '../server.ts';
import type { Validation } from '../validation.ts';

/** Whoever names an alarm wants it to be well: one of which nobody can say how it is holds the wave like one that rings. */
export async function alarmReason(
  { alarms }: Pick<Ports, 'alarms'>,
  { alarms: asked }: Validation,
): Promise<Reason | undefined> {
  const places = new Map<string, { place: Place; names: string[] }>();
  for (const { name, account = alarms.home.account, region = alarms.home.region } of asked) {
    const place = { account, region };
    const found = places.get(placeKey(place)) ?? { place, names: [] };
    places.set(placeKey(place), { place, names: [...found.names, name] });
  }
  for (const [key, { place, names }] of places) {
    const states = await readAlarms(alarms, place, names);
    if ('code' in states) return states;
    for (const name of names) {
      const state = states.get(name) ?? 'missing';
      if (state !== 'ok')
        return { code: alarmCodes[state], detail: `alarm ${name} of ${key} ${alarmWords[state]}` };
    }
  }
  return undefined;
}

const alarmCodes = {
  alarm: 'alarm-rings',
  'insufficient-data': 'alarm-unknown',
  missing: 'alarm-missing',
} as const;
const alarmWords = {
  alarm: 'is in ALARM',
  'insufficient-data': 'has not enough data: nobody knows how what it watches is',
  missing: 'does not exist: make it, or take its name out of the policy',
} as const;

async function readAlarms(
  alarms: Ports['alarms'],
  place: Place,
  names: readonly string[],
): Promise<ReadonlyMap<string, AlarmState> | Reason> {
  try {
    return await alarms.states(place, names);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return { code: 'alarm-unreadable', detail: `${placeKey(place)}: ${error.message}`.slice(0, 400) };
  }
}
