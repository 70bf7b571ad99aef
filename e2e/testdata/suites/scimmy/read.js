// Reads what Holdline answers with SCIMMY's own definitions, and writes a JSON array
// of what it did, each with the fault that it found or "".
const { readFileSync } = require('node:fs');
const { isDeepStrictEqual } = require('node:util');
const SCIMMY = require('scimmy').default ?? require('scimmy');

const { schemas, users, lists, errors } = JSON.parse(readFileSync(0, 'utf8'));
const steps = [];
const step = (name, run) => {
  let fault = '';
  try { fault = run() ?? ''; } catch (error) { fault = error.message; }
  steps.push({ name, fault });
};

// Every attribute that SCIMMY takes from RFC 7643 is announced with the same
// characteristics.
const compare = (path, wanted, given) => {
  for (const want of wanted) {
    const got = given?.find(({ name }) => name === want.name);
    const name = `${path}${want.name}`;
    step(name, () => {
      if (!got) return 'is not announced';
      return ['type', 'multiValued', 'required', 'mutability', 'returned', 'uniqueness', 'caseExact']
        .filter((key) => want[key] !== undefined && want[key] !== got[key])
        .map((key) => `${key} is ${got[key]}, SCIMMY has ${want[key]}`).join('; ');
    });
    if (want.subAttributes) compare(`${name}.`, want.subAttributes, got?.subAttributes);
  }
};
for (const schema of [SCIMMY.Schemas.User, SCIMMY.Schemas.EnterpriseUser]) {
  const { id, attributes } = schema.definition.describe();
  compare(id === SCIMMY.Schemas.User.id ? '' : `${id}:`, attributes, schemas.find((s) => s.id === id)?.attributes);
}

// A user is read without an error, and nothing that SCIMMY knows is lost.
SCIMMY.Schemas.User.extend(SCIMMY.Schemas.EnterpriseUser);
const plain = (value) => JSON.parse(JSON.stringify(value));
users.forEach((user, n) => step(`user ${n}`, () => {
  const read = plain(new SCIMMY.Schemas.User(user, 'out'));
  return Object.keys(user).filter((key) => !(key in read) && key !== 'meta').map((key) => `${key} is lost`).join('; ')
    || (isDeepStrictEqual(read.name, user.name) && isDeepStrictEqual(read.emails, user.emails) ? '' : 'name or emails are read otherwise');
}));
lists.forEach((list, n) => step(`list ${n}`, () => {
  const read = new SCIMMY.Messages.ListResponse(list);
  return read.totalResults === list.totalResults && read.Resources.length === list.Resources.length ? '' : 'is read otherwise';
}));
// SCIMMY throws the errors that it reads, and others for what it does not take.
errors.forEach((error, n) => step(`error ${n}`, () => {
  let read;
  try { read = new SCIMMY.Messages.ErrorResponse(error); } catch (thrown) { read = thrown; }
  return read.name === 'SCIMError' && String(read.status) === error.status && read.scimType === error.scimType && read.message === error.detail
    ? '' : `is read otherwise: ${read.message}`;
}));
process.stdout.write(JSON.stringify(steps));
