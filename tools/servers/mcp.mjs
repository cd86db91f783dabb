// An MCP server, over streamable HTTP at /mcp and by the older way at /sse and /messages. Its tool "say" tells all sessions of that
// transport what was said, by a notification; its tool "prompt" answers in words, each a notification of progress. argv: host port.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";

function session(all) {
  const server = new McpServer({ name: "rooms", version: "1" }, { capabilities: { logging: {} } });
  server.registerTool("say", { inputSchema: { room: z.string(), text: z.string() } }, async ({ room, text }) => {
    for (const other of all.values()) {
      other.server.server.sendLoggingMessage({ level: "info", data: { room, text } }).catch(() => {}); // one may be leaving
    }
    return { content: [{ type: "text", text: "said" }] };
  });
  server.registerTool("prompt", { inputSchema: { text: z.string() } }, async ({ text }, extra) => {
    for (const [n, message] of ["well,", "well"].entries()) {
      await extra.sendNotification({ method: "notifications/progress", params: { progressToken: extra._meta.progressToken, progress: n + 1, message } });
    }
    return { content: [{ type: "text", text }] };
  });
  return server;
}

const streamable = new Map(), older = new Map();

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

async function mcp(request, response) {
  const id = request.headers["mcp-session-id"];
  let known = id && streamable.get(id);
  if (!known) {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (made) => { streamable.set(made, known); },
    });
    known = { transport, server: session(streamable) };
    await known.server.connect(transport);
  }
  await known.transport.handleRequest(request, response, request.method === "POST" ? await body(request) : undefined);
}

async function sse(response) {
  const transport = new SSEServerTransport("/messages", response);
  const known = { transport, server: session(older) };
  older.set(transport.sessionId, known);
  response.on("close", () => older.delete(transport.sessionId));
  await known.server.connect(transport);
}

const [host, port] = process.argv.slice(2);
createServer((request, response) => {
  const url = new URL(request.url, "http://" + host);
  const failed = (error) => { console.error(error); response.destroy(); };
  if (url.pathname === "/mcp") {
    mcp(request, response).catch(failed);
  } else if (url.pathname === "/sse") {
    sse(response).catch(failed);
  } else if (older.has(url.searchParams.get("sessionId"))) {
    body(request).then((said) => older.get(url.searchParams.get("sessionId")).transport.handlePostMessage(request, response, said)).catch(failed);
  } else {
    response.writeHead(404).end();
  }
}).listen(Number(port), host);
