// What the mails' HTML uses and mail programs do not know, by caniemail.com's data, for tests/lint.py.
//
// Each feature that Gmail, Outlook or Apple Mail lack, or know in part, is tolerated here for a reason, or is a problem.
// A reason whose feature no mail uses any more is a problem too.

import { readdirSync, readFileSync } from "node:fs";

import { caniemail } from "caniemail";

const CLIENTS = ["gmail.*", "outlook.*", "apple-mail.*"];
const MAILS = new URL("../mails/", import.meta.url);

// Lacking in one of them at least.
const LACKING = {
  "<style> element": "the sheet is for dark mode only; what carries meaning is inline",
  "@media": "dark mode only",
  "color-scheme meta tag": "dark mode only, in Apple Mail",
  "<body> element": "the table inside has its colours too",
  "display:none": "the preheader has no height and letters of a pixel as well",
  "max-height property": "the preheader; who lacks it knows display:none",
  overflow: "the preheader; who lacks it knows display:none",
  "border-radius": "the button has corners then",
  "white-space": "a name or an id may break behind its hyphen",
  "word-break": "the command with the state machine's ARN is one long line then; Windows Mail has ended",
  "role attribute": "says to screen readers which tables are layout; Windows Mail has ended",
  "aria-label attribute": "names the first table, whose words stand for themselves; Windows Mail has ended",
};
// Known by all of them, but not in every form.
const IN_PART = {
  margin: "none is negative, and each is a few pixels of rhythm",
  display: "only none, for the preheader",
  padding: "only on cells of tables",
  "max-width": "only on the outer table; who lacks it there has the page's width",
  border: "of one and six pixels, on cells only",
  background: "only colours",
  "text-align": "only left",
  "text-decoration": "only none, on the button",
  "font-size": "in pixels",
  "font-weight": "only normal",
  "line-height": "Outlook for Windows may set a line some pixels higher",
  "align attribute": "left is where cells and captions stand by themselves",
  "width attribute": "on tables and cells, not on pictures",
};

function used(mails) {
  const found = { errors: new Map(), warnings: new Map() };
  for (const mail of mails) {
    const { issues } = caniemail({ clients: CLIENTS, html: readFileSync(new URL(mail, MAILS), "utf8") });
    for (const [kind, titles] of Object.entries(found)) {
      for (const [client, list] of issues[kind] ?? []) {
        for (const { title } of list) {
          titles.set(title, [...new Set([...(titles.get(title) ?? []), `${client} (${mail})`])]);
        }
      }
    }
  }
  for (const title of found.errors.keys()) found.warnings.delete(title);
  return found;
}

const mails = readdirSync(MAILS).filter((name) => name.endsWith(".html"));
if (mails.length === 0) throw new Error(`no mail in ${MAILS}`);
const found = used(mails);
const problems = [];
for (const [titles, tolerated, how] of [
  [found.errors, LACKING, "is unknown to"],
  [found.warnings, IN_PART, "is known in part to"],
]) {
  for (const [title, where] of titles) {
    if (!(title in tolerated)) problems.push(`${title} ${how} ${where.slice(0, 3).join(", ")}`);
  }
  for (const title of Object.keys(tolerated)) {
    if (!titles.has(title)) problems.push(`${title} is tolerated here, and no mail needs that`);
  }
}
console.log(problems.join("\n"));
process.exitCode = problems.length === 0 ? 0 : 1;
