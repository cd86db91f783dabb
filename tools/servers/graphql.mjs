// A GraphQL server with subscriptions over server-sent events, in distinct mode: every operation is a POST, and a subscription is
// answered by a stream. argv: host port.
import { createServer } from "node:http";
import { EventEmitter } from "node:events";
import { buildSchema } from "graphql";
import { createHandler } from "graphql-sse/lib/use/http";

const rooms = new EventEmitter();
rooms.setMaxListeners(0);

async function* messages(room) {
  const waiting = [];
  let wake = () => {};
  const hear = (text) => { waiting.push(text); wake(); };
  rooms.on(room, hear);
  try {
    for (;;) {
      while (waiting.length > 0) yield { message: { text: waiting.shift() } };
      await new Promise((done) => { wake = done; });
    }
  } finally {
    rooms.off(room, hear);
  }
}

const schema = buildSchema(`
  type Message { text: String! }
  type Query { version: String! }
  type Mutation { say(room: String!, text: String!): Boolean! }
  type Subscription { message(room: String!): Message! }
`);
schema.getSubscriptionType().getFields().message.subscribe = (_, { room }) => messages(room);
schema.getMutationType().getFields().say.resolve = (_, { room, text }) => { rooms.emit(room, text); return true; };

const [host, port] = process.argv.slice(2);
createServer(createHandler({ schema })).listen(Number(port), host);
