// Reads vectors, one JSON object a line, and writes each with the answer of
// scim-patch: the document, or the name of the error.
const { createInterface } = require('node:readline');
const { scimPatch, patchBodyValidation } = require('scim-patch');

createInterface({ input: process.stdin }).on('line', (line) => {
  const vector = JSON.parse(line);
  try {
    patchBodyValidation({ schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: vector.operations });
    vector.document_after = scimPatch(vector.document, vector.operations, { mutateDocument: false, treatMissingAsAdd: true });
  } catch (error) {
    vector.error = error.constructor.name;
  }
  process.stdout.write(JSON.stringify(vector) + '\n');
});
