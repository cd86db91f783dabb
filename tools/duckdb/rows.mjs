// Counts the rows of a run with DuckDB: a reader of the history that shares no line with holobench.
//
//   node rows.mjs RUN-DIRECTORY
//
// prints the deliveries by path and in all, and the commands that were sent, as the Parquet segments have them. It exits
// with 1 when they are not what the target itself counted, by run.json.
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const dir = process.argv[2];
if (!dir) {
  console.error('usage: node rows.mjs RUN-DIRECTORY');
  process.exit(2);
}
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const segments = `read_parquet('${dir.replaceAll("'", "''")}/segments/*.parquet')`;
const ask = async (query) => (await connection.runAndReadAll(query)).getRowObjectsJson();
for (const row of await ask(`select path, count(*) as n from ${segments} where kind = 'delivered' group by path order by path`)) {
  console.log(`delivered by ${row.path}: ${row.n}`);
}
const [all] = await ask(`select count(*) filter (kind = 'delivered') as delivered, count(*) filter (kind = 'sent') as sent,
  count(*) filter (kind = 'dispatched') as dispatched, count(*) as observations from ${segments}`);
console.log(`delivered: ${all.delivered}`);
console.log(`sent: ${all.sent}`);
console.log(`dispatched: ${all.dispatched}`);
console.log(`rows: ${all.observations}`);

const sum = (name) => JSON.parse(readFileSync(`${dir}/run.json`)).nodes.reduce((n, node) => n + node.counters[name], 0);
const written = sum('deliveries_written_sse') + sum('deliveries_written_reply');
const agree = Number(all.delivered) === written && Number(all.sent) === sum('commands_accepted');
console.log(`the target wrote ${written} deliveries of ${sum('commands_accepted')} commands: ${agree ? 'the same' : 'NOT THE SAME'}`);
process.exitCode = agree ? 0 : 1;
