// The page asks this server alone. What comes back is put on it as text, never as markup.
"use strict";

const KINDS = ["language", "domain", "task"];
const AT_HAND = { text: "Text", pair: "Second text (where the head reads pairs)", words: "Sentence", first: "First text", second: "Second text",
  question: "Question", context: "Context", prompt: "Prompt", choices: "Choices, one a line", lines: "Lines to compare with, one each" };
// What stands in the fields where no link says it: short, and in words that all of these models know.
const EXAMPLE = { text: "The doctors treated forty patients in the new hospital.", words: "Amina lives in Kano.", first: "The goat eats grass.", second: "A goat is eating.",
  question: "Where does Amina live?", context: "Amina lives in Kano and sells maize.", prompt: "It rained all night, so", choices: "the road is wet\nthe goat sings",
  lines: "Nurses cared for many sick people.\nThe market is closed today." };
const at = id => document.getElementById(id);
let models = [];

function made(tag, text, kind) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

async function ask(path, body) {
  const headers = at("key").value ? { Authorization: "Bearer " + at("key").value } : {};
  const how = body === undefined ? { headers } : { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, how);
  const found = await answer.json();
  if (answer.ok) return found;
  if (answer.status === 401) at("access").open = true;
  throw new Error(found.error ? found.error.message : answer.statusText);
}

// Adapters of the stack or stacks that are typed, as far as the page knows them; the last one may have a head.
function parts() {
  return at("stack").value.split(/[>|]/).map(part => part.trim()).filter(Boolean).map(name =>
    models.find(model => model.id === name) || models.find(model => model.id.split("/")[1] === name) || { id: name });
}

function showKinds() {
  at("kinds").replaceChildren(...KINDS.flatMap(kind => {
    const own = models.filter(model => model.kind === kind);
    if (!own.length) return [];
    const box = made("div"), label = made("label", kind), select = made("select");
    select.id = "kind-" + kind;
    label.htmlFor = select.id;
    const options = own.map(model => {
      const name = Object.values(model.languages || {}).join(", ");
      const option = made("option", model.id.split("/")[1] + (kind === "language" && name ? " (" + name + ")" : ""));
      option.value = model.id;
      return option;
    });
    const none = made("option", "none");
    none.value = "";
    select.replaceChildren(none, ...options);
    select.addEventListener("change", () => {
      at("stack").value = KINDS.map(each => at("kind-" + each)?.value).filter(Boolean).join(" > ");
      showFields();
    });
    box.append(label, select);
    return [box];
  }));
}

function showFields() {
  const chosen = parts(), top = chosen[chosen.length - 1] || {};
  for (const kind of KINDS) {
    const select = at("kind-" + kind);
    if (select) select.value = chosen.find(model => model.kind === kind)?.id || "";
  }
  at("facts").textContent = [...new Set(chosen)].map(model => {
    const score = (model.scores || [])[0];
    return [model.id, model.task_type, model.licence,
      score && `${score.task}: ${score.score_with.toFixed(1)} (${score.score_without.toFixed(1)} without)`].filter(Boolean).join(" · ");
  }).join("\n");
  const fields = top.endpoint ? top.fields : ["text", "lines"];
  const before = Object.fromEntries([...at("fields").querySelectorAll("textarea")].map(area => [area.name, area.value]));
  at("fields").replaceChildren(...fields.flatMap(name => {
    const label = made("label", AT_HAND[name] || name), area = made("textarea", undefined, name === "question" || name === "pair" ? "short" : "");
    area.id = "field-" + name;
    area.name = label.htmlFor = area.id;
    area.name = name;
    area.value = before[name] || "";
    area.dir = "auto";
    return [label, area];
  }));
}

const lines = text => text.split("\n").map(line => line.trim()).filter(Boolean);

function inputOf(fields) {
  const values = fields.map(name => name === "choices" ? lines(at("field-" + name).value) : at("field-" + name).value.trim());
  return values.length === 1 || (fields[1] === "pair" && !values[1]) ? values[0] : [values];
}

function rows(entries, largest) {
  const table = made("table"), body = made("tbody");
  body.replaceChildren(...entries.map(([name, value]) => {
    const row = made("tr"), bar = made("td", undefined, "bar"), meter = made("meter");
    meter.max = largest;
    meter.value = Math.max(0, value);
    bar.append(meter);
    row.append(made("td", name), made("td", value.toFixed(3), "number"), bar);
    return row;
  }));
  table.append(body);
  return table;
}

function answered(found) {
  if (found.tags) {
    const words = made("div", undefined, "words");
    words.replaceChildren(...found.words.map((word, number) => {
      const tag = found.tags[number], box = made("span", word, tag === "O" ? "word plain" : "word tagged");
      box.append(made("b", tag));
      return box;
    }));
    return [words];
  }
  if (found.n_best) return [made("p", found.text || "(no answer)", "best"), rows(found.n_best.map(span => [span.text || "(no answer)", span.score]), Math.max(1, ...found.n_best.map(span => span.score)))];
  if (found.score !== undefined) return [made("p", found.score.toFixed(3), "best")];
  const names = Array.isArray(found.probabilities) ? lines(at("field-choices").value) : Object.keys(found.probabilities);
  const shares = names.map((name, number) => [name, Array.isArray(found.probabilities) ? found.probabilities[number] : found.probabilities[name]]);
  const best = found.labels ? found.labels.join(", ") || "(no label)" : found.label || names[found.choice];
  return [made("p", best, "best"), rows(shares.sort((one, other) => other[1] - one[1]), 1)];
}

function near(data, texts) {
  const length = vector => Math.hypot(...vector), own = data[0].embedding;
  const cosine = vector => vector.reduce((sum, value, number) => sum + value * own[number], 0) / (length(vector) * length(own));
  if (data.length === 1) return [made("p", `A vector of ${own.length} numbers. Give lines to compare with, and the nearest is shown.`)];
  const found = texts.map((text, number) => [text, cosine(data[number + 1].embedding)]).sort((one, other) => other[1] - one[1]);
  return [made("p", found[0][0], "best"), rows(found, 1)];
}

async function answer() {
  at("error").hidden = true;
  at("ask").disabled = true;
  const chosen = parts(), top = chosen[chosen.length - 1] || {}, began = performance.now();
  const model = at("stack").value.trim() || models.find(each => each.kind === "backbone").id;
  try {
    let found, shown;
    if (top.endpoint) {
      found = await ask(top.endpoint, { model, input: inputOf(top.fields) });
      shown = answered(found.data[0]);
    } else {
      const texts = lines(at("field-lines").value);
      found = await ask("/v1/embeddings", { model, input: [at("field-text").value.trim(), ...texts], encoding_format: "float" });
      shown = near(found.data, texts);
    }
    at("answer").replaceChildren(...shown);
    at("spent").textContent = `${found.model} · ${found.usage.prompt_tokens} tokens · ${Math.round(performance.now() - began)} ms`;
  } catch (error) {
    at("answer").replaceChildren();
    at("spent").textContent = "";
    fail(error);
  }
  at("ask").disabled = false;
}

function fail(error) {
  at("error").textContent = error.message;
  at("error").hidden = false;
}

// An example to change: nothing is asked before somebody presses the button.
function showExample(head) {
  at("stack").value = head ? head.id : models.find(model => model.kind === "language")?.id || "";
  showFields();
  for (const area of at("fields").querySelectorAll("textarea")) area.value = EXAMPLE[area.name] || "";
  return false;
}

// A link may hold a stack and its input behind #, which no server sees: #stack=sw+>+topics&text=...
function fromLink() {
  const given = new URLSearchParams(location.hash.slice(1)), head = models.find(model => model.endpoint);
  if (![...given].length) return showExample(head);
  at("stack").value = given.get("stack") || "";
  showFields();
  for (const area of at("fields").querySelectorAll("textarea")) area.value = given.get(area.name) || "";
  return [...at("fields").querySelectorAll("textarea")].some(area => area.value);
}

async function begin() {
  try {
    models = (await ask("/v1/models")).data;
    const backbone = models.find(model => model.kind === "backbone");
    at("about").textContent = `${backbone.id}, frozen, and ${models.length - 1} adapters to put on it.`;
    at("error").hidden = true;
    showKinds();
    at("ask").disabled = false;
    if (fromLink()) await answer();
  } catch (error) {
    fail(error);
  }
}

at("stack").addEventListener("change", showFields);
at("key").addEventListener("change", begin);
at("form").addEventListener("submit", event => {
  event.preventDefault();
  answer();
});
addEventListener("hashchange", begin);
begin();
