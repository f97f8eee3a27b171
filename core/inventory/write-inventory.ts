/** Owns the export of a server list: the CSV from which the import reads the same servers. */
import { type Field, fields, headers } from './columns.ts';
import { csvOf } from './csv-text.ts';
import { type InventoryServer, type PastDate, quarterColumns } from './inventory-server.ts';

/** Its row is the one that it gets. */
type ListedServer = Omit<InventoryServer, 'row'>;

/**
 * A row for each server, in the given order, then the columns that we do not know by name. A column of a quarter has
 * the date that is set, else the last one that is past, which an import puts back into history.
 */
export function inventoryCsv(servers: readonly ListedServer[]): string {
  const extras = [...new Set(servers.flatMap(({ extra }) => Object.keys(extra)))].toSorted();
  const rows = servers.map((server) => {
    const cells = cellsOfServer(server);
    return [...fields.map((field) => cells[field] ?? ''), ...extras.map((name) => extraOf(server, name))];
  });
  return csvOf([[...fields.map((field) => headers[field]), ...extras], ...rows]);
}

export function cellsOfServer(server: ListedServer): Partial<Record<Field, string | undefined>> {
  const { name, hostGroup, operatingSystem, environment, zone, location, owners, instanceId, account } =
    server;
  const { region, currentQuarterStatus, haGroup, cron, metal } = server;
  const dates = quarterColumns.flatMap((quarter) => {
    const given =
      server.explicit[quarter] ?? lastOf(server.history.filter(({ column }) => column === quarter));
    return [
      [`${quarter} date`, given?.date],
      [`${quarter} time`, given?.time],
      [`${quarter} approval`, given?.approval],
    ];
  });
  return {
    name,
    hostGroup,
    operatingSystem,
    environment,
    zone,
    location,
    primaryOwner: owners.primary,
    secondaryOwner: owners.secondary,
    ...Object.fromEntries(dates),
    currentQuarterStatus,
    active: server.active ? 'Active' : 'Inactive',
    instanceId,
    account,
    region,
    haGroup,
    cron,
    dependsOn: server.dependsOn?.join('; '),
    metal: metal === undefined ? undefined : metal ? 'yes' : 'no',
  };
}

function lastOf(dates: readonly PastDate[]): PastDate | undefined {
  return dates.toSorted((a, b) => (a.date < b.date ? 1 : -1))[0];
}

/** Headers come from a file, so one may be called `constructor`. */
function extraOf({ extra }: ListedServer, name: string): string {
  return Object.hasOwn(extra, name) ? (extra[name] as string) : '';
}
