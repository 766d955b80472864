// Extracts the examples of the CommonMark and GFM specifications:
//   node tests/text/extract-examples.mjs commonmark-spec.txt gfm-spec.txt > tests/text/examples.json
import { readFileSync } from 'node:fs';

const FENCE = '`'.repeat(32);
const EXAMPLE = new RegExp(`^${FENCE} example *(.*)\\n([^]*?)^\\.\\n([^]*?)^${FENCE}$|^#{1,6} +(.*)$`, 'gm');

/** The examples of a specification, numbered from 1 in their order; a dot on a line of its own divides one. */
function examples(source, specification) {
  const found = [];
  let section = '';
  for (const [, extension, markdown, html, heading] of specification.matchAll(EXAMPLE)) {
    if (heading === undefined) {
      const [written, expected] = [markdown, html].map((text) => text.replaceAll('→', '\t'));
      found.push({ source, number: found.length + 1, section, extension, markdown: written, html: expected });
    } else {
      section = heading;
    }
  }
  return found;
}

const [commonmark, gfm] = process.argv.slice(2, 4).map((path) => readFileSync(path, 'utf8'));
const rows = [
  ...examples('commonmark-0.31.2', commonmark),
  // The others are CommonMark's, of an earlier version.
  ...examples('gfm-0.29', gfm).filter(({ extension }) => extension !== ''),
].map(({ extension, ...row }) => JSON.stringify(row));
process.stdout.write(`[\n${rows.join(',\n')}\n]\n`);
