// Reads an event stream with three libraries of the npm registry, none of which knows holobench.
//
//   node readers.mjs LIBRARY URL COUNT TYPE...
//
// prints READY when the stream is open, and as its last line the first COUNT events of these types as a JSON list of
// {Type, ID, Data}. It goes through reconnects as the library does; eventsource-parser is no client, so that it gets the
// loop of one: it connects again with Last-Event-ID.
import { createParser } from 'eventsource-parser';
import { EventSource as NpmEventSource } from 'eventsource';
import { EventSource as UndiciEventSource } from 'undici';

const [library, url, count, ...types] = process.argv.slice(2);
const events = [];
const take = (type, id, data) => {
  events.push({ Type: type, ID: id, Data: data });
  if (events.length < Number(count)) return;
  process.stdout.write(JSON.stringify(events) + '\n', () => process.exit(0));
};
const ready = () => console.log('READY');
setInterval(() => {}, 1 << 30); // undici's pause before a reconnect does not keep the process alive

const listen = (EventSource) => {
  const source = new EventSource(url);
  source.onopen = ready;
  for (const type of types) source.addEventListener(type, (e) => take(e.type, e.lastEventId, e.data));
};

const parse = async () => {
  let last = '';
  let wait = 3000;
  const parser = createParser({
    onEvent: (e) => {
      last = e.id ?? last;
      take(e.event ?? 'message', last, e.data);
    },
    onRetry: (ms) => { wait = ms; },
  });
  for (;;) {
    try {
      const response = await fetch(url, { headers: { accept: 'text/event-stream', ...(last && { 'last-event-id': last }) } });
      ready();
      const decoder = new TextDecoder();
      for await (const bytes of response.body) parser.feed(decoder.decode(bytes, { stream: true }));
    } catch { /* cut: as below */ }
    parser.reset();
    await new Promise((done) => setTimeout(done, wait));
  }
};

switch (library) {
  case 'eventsource': listen(NpmEventSource); break;
  case 'undici': listen(UndiciEventSource); break;
  case 'eventsource-parser': await parse(); break;
  default:
    console.error(`unknown library ${library}`);
    process.exit(2);
}
