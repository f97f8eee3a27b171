/** Owns Run Command in more than one account and Region: each call goes to the one of its place. */
import type { Commands, Fleet } from '../../../core/ports.ts';
import { type Place, placeKey } from '../../../core/server.ts';

export interface PlacedPorts {
  readonly commands: Commands;
  readonly fleet: Fleet;
}

/** @param byPlace by `placeKey` */
export function placedPorts(byPlace: ReadonlyMap<string, PlacedPorts>): PlacedPorts {
  const at = (place: Place): PlacedPorts => {
    const ports = byPlace.get(placeKey(place));
    if (!ports) throw new Error(`there is no Run Command in ${placeKey(place)}`);
    return ports;
  };
  return {
    commands: {
      pin: (place, name) => at(place).commands.pin(place, name),
      send: (place, request) => at(place).commands.send(place, request),
      find: (place, comment, since) => at(place).commands.find(place, comment, since),
      invocations: (place, commandId) => at(place).commands.invocations(place, commandId),
    },
    fleet: { presence: (place, serverIds) => at(place).fleet.presence(place, serverIds) },
  };
}
