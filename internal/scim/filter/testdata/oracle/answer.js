// Reads vectors, one JSON object a line, and writes each with what
// scim2-parse-filter says: whether the document matches, or the name of the error.
const { createInterface } = require('node:readline');
const { parse, filter } = require('scim2-parse-filter');

createInterface({ input: process.stdin }).on('line', (line) => {
  const vector = JSON.parse(line);
  try {
    vector.matches = filter(parse(vector.filter))(vector.document);
  } catch (error) {
    vector.error = error.constructor.name;
  }
  process.stdout.write(JSON.stringify(vector) + '\n');
});
