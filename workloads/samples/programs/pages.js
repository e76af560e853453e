// An interpreter with a collected heap: a site's documents parsed, rendered, cached and edited in Node.js.
// Run `node pages.js [DOCUMENTS]`.
'use strict';

const COUNT = Number(process.argv[2] ?? 120000);
const REQUESTS = 5 * COUNT;

// mulberry32: small, and the same everywhere.
let state = 1;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);

// A language of 3000 words, of which some are said often.
const SYLLABLES = 'ka lo mi ren tus vel dor an pi sha gur eth ol ni bra quo'.split(' ');
const syllable = () => SYLLABLES[below(SYLLABLES.length)];
const WORDS = Array.from({ length: 3000 }, () => Array.from({ length: 1 + below(4) }, syllable).join(''));
const TAGS = WORDS.slice(0, 16);
const word = () => WORDS[Math.floor(WORDS.length * random() ** 3)];
const sentence = (n) => Array.from({ length: n }, word).join(' ');

function parsed(id) {
  const text = JSON.stringify({
    id,
    title: sentence(3),
    tags: [TAGS[below(16)], TAGS[below(16)]],
    sections: Array.from({ length: 1 + below(4) }, () => ({ head: sentence(2), body: sentence(20 + below(60)) })),
    parent: id ? below(id) : null,
    revision: 0,
  });
  return JSON.parse(text);
}

function rendered(doc) {
  const sections = doc.sections.map((s) => `<section><h2>${s.head}</h2><p class="text">${s.body}</p></section>`);
  const tags = doc.tags.map((tag) => `<li><a href="/tag/${tag}">${tag}</a></li>`);
  return Buffer.from(
    `<!doctype html><html><head><title>${doc.title}</title></head><body data-revision="${doc.revision}">` +
      `<ul class="tags">${tags.join('')}</ul>${sections.join('\n')}<a href="/page/${doc.parent}">up</a></body></html>`,
  );
}

const documents = [];
const cache = new Map();
const byTag = new Map(TAGS.map((tag) => [tag, new Set()]));
for (let id = 0; id < COUNT; id++) {
  const doc = parsed(id);
  doc.tags.forEach((tag) => byTag.get(tag).add(id));
  documents.push(JSON.stringify(doc));
  cache.set(id, rendered(doc));
}

// Few documents are asked for often; one request in eight is an edit, which parses, changes and renders the document.
let bytes = 0;
for (let i = 0; i < REQUESTS; i++) {
  const id = Math.floor(COUNT * random() ** 5);
  if (random() < 0.125) {
    const doc = JSON.parse(documents[id]);
    doc.revision += 1;
    doc.sections[below(doc.sections.length)].body = sentence(20 + below(60));
    documents[id] = JSON.stringify(doc);
    cache.set(id, rendered(doc));
  }
  bytes += cache.get(id).length;
  if (i % (REQUESTS / 10) === 0) {
    const recent = [...byTag.get(TAGS[below(16)])].slice(-500).map((n) => JSON.parse(documents[n]));
    bytes += recent.sort((a, b) => b.revision - a.revision)[0].title.length;
  }
}
console.log(`${COUNT} documents, ${bytes} bytes sent`);
