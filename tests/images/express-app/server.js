// A small Express app: it greets, counts, can be asked for its health, and ends gracefully.
"use strict";

const express = require("express");

const port = Number(process.env.PORT || 3000);
const app = express();
let visits = 0;

app.disable("x-powered-by");

app.get("/healthz", (_request, response) => {
  response.json({ status: "ok" });
});

app.get("/", (request, response) => {
  visits += 1;
  response.type("text/plain");
  response.send(`Hello from Express ${require("express/package.json").version}, visit ${visits}\n`);
});

app.get("/who", (request, response) => {
  response.json({
    host: request.get("host"),
    forwardedFor: request.get("x-forwarded-for") || null,
    pod: process.env.POD_NAME || null,
  });
});

// For error pages of a proxy in front: answers with the status asked for.
app.get("/status/:code", (request, response) => {
  const code = Number(request.params.code);
  const valid = Number.isInteger(code) && code >= 200 && code <= 599;
  response.status(valid ? code : 400).type("text/plain").send(`status ${valid ? code : 400}\n`);
});

const server = app.listen(port, () => {
  console.log(`express-app listens on ${port}`);
});

process.on("SIGTERM", () => {
  console.log("express-app stops");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
