'use strict';
// A page of files, as small applications serve them.
const fs = require('fs');
const http = require('http');
const path = require('path');

const root = path.join(__dirname, 'public');

const server = http.createServer((request, response) => {
  const name = path.normalize(new URL(request.url, 'http://localhost').pathname);
  const file = fs.createReadStream(path.join(root, name === '/' ? 'index.html' : name));
  file.on('open', () => file.pipe(response));
  file.on('error', () => {
    response.statusCode = 404;
    response.end('not found\n');
  });
});
server.listen(3000, '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
