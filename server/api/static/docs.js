// Renders /openapi.json as one page. Text only ever enters the page as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function resolve(document_, schema) {
  let found = schema || {};
  for (let depth = 0; found.$ref && depth < 10; depth += 1) {
    found = found.$ref.replace("#/", "").split("/").reduce((at, key) => at[key], document_);
  }
  return found;
}

function typeText(document_, schema, depth = 0) {
  const found = resolve(document_, schema);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (found.const !== undefined) return JSON.stringify(found.const);
  const several = found.oneOf || found.anyOf;
  if (several && depth < 4) {
    return several.map((each) => typeText(document_, each, depth + 1)).join(" | ");
  }
  if (found.type === "array") return `list of ${typeText(document_, found.items, depth + 1)}`;
  const name = Array.isArray(found.type) ? found.type.join(" | ") : found.type || "any";
  return found.format ? `${name} (${found.format})` : name;
}

function limits(schema) {
  const rows = [
    ["minLength", "at least", "characters"], ["maxLength", "at most", "characters"],
    ["minimum", "from", ""], ["maximum", "to", ""],
    ["minItems", "at least", "items"], ["maxItems", "at most", "items"],
  ];
  const found = rows.filter(([key]) => schema[key] !== undefined)
    .map(([key, before, after]) => `${before} ${schema[key]} ${after}`.trim());
  if (schema.default !== undefined && schema.default !== null) {
    found.push(`default ${JSON.stringify(schema.default)}`);
  }
  return found.join(", ");
}

function table(headings, rows) {
  const made = element("table");
  const head = made.createTHead().insertRow();
  headings.forEach((heading) => head.append(element("th", heading)));
  const body = made.createTBody();
  rows.forEach((cells) => {
    const row = body.insertRow();
    cells.forEach((cell, index) => {
      const at = row.insertCell();
      at.append(index === 0 ? element("code", cell) : document.createTextNode(cell));
    });
  });
  return made;
}

function fieldRows(document_, schema) {
  const found = resolve(document_, schema);
  const required = new Set(found.required || []);
  return Object.entries(found.properties || {}).map(([name, field]) => {
    const whole = resolve(document_, field);
    return [name, typeText(document_, field), required.has(name) ? "required" : "",
      [whole.description, limits(whole)].filter(Boolean).join("; ")];
  });
}

function operationSection(document_, path, method, operation) {
  const section = element("section");
  section.id = `${method}-${path.replace(/[^a-z0-9]+/gi, "-")}`;
  const heading = element("h3");
  heading.append(element("span", method.toUpperCase(), `method ${method}`), element("code", path));
  section.append(heading, element("div", operation.summary || ""));
  if (operation.description) section.append(element("p", operation.description, "note"));
  if (operation.parameters && operation.parameters.length) {
    section.append(table(["Parameter", "In", "Type", "Notes"], operation.parameters.map((each) => {
      const schema = resolve(document_, each.schema);
      const notes = [each.required ? "required" : "", each.description || "", limits(schema)];
      return [each.name, each.in, typeText(document_, each.schema), notes.filter(Boolean).join("; ")];
    })));
  }
  const body = operation.requestBody && Object.values(operation.requestBody.content)[0];
  if (body) section.append(table(["Field", "Type", "", "Notes"], fieldRows(document_, body.schema)));
  const answers = Object.entries(operation.responses || {});
  section.append(table(["Status", "Answer"], answers.map(([status, response]) => [
    status, (response.description || "").replaceAll("`", ""),
  ])));
  return section;
}

function render(document_) {
  const main = document.getElementById("main");
  const links = document.getElementById("links");
  main.replaceChildren(element("h1", `${document_.info.title} API ${document_.info.version}`),
    element("p", document_.info.description || ""));
  const chapters = new Map();
  for (const [path, operations] of Object.entries(document_.paths)) {
    for (const method of METHODS) {
      const operation = operations[method];
      if (!operation) continue;
      const tag = (operation.tags || ["Other"])[0];
      if (!chapters.has(tag)) chapters.set(tag, []);
      chapters.get(tag).push([path, method, operation]);
    }
  }
  for (const [tag, operations] of chapters) {
    main.append(element("h2", tag));
    links.append(element("h2", tag));
    for (const [path, method, operation] of operations) {
      const section = operationSection(document_, path, method, operation);
      main.append(section);
      const link = element("a", `${method.toUpperCase()} ${path}`);
      link.href = `#${section.id}`;
      links.append(link);
    }
  }
  main.append(element("h2", "Errors"), table(["Code", "Status", "Title", "What to do"], []));
  const errors = main.lastChild.tBodies[0];
  for (const error of document_["x-error-codes"]) {
    const row = errors.insertRow();
    row.id = `error-${error.code.toLowerCase()}`;
    row.insertCell().append(element("code", error.code));
    [error.status, error.title, error.remedy].forEach((text) => row.insertCell().append(text));
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    const text = event.target.value.toLowerCase();
    links.querySelectorAll("a").forEach((link) => {
      const hidden = !link.textContent.toLowerCase().includes(text);
      link.hidden = hidden;
      document.getElementById(link.hash.slice(1)).hidden = hidden;
    });
  });
  if (location.hash.startsWith("#") && document.getElementById(location.hash.slice(1))) {
    document.getElementById(location.hash.slice(1)).scrollIntoView();
  }
}

fetch("/openapi.json").then((response) => response.json()).then(render).catch((error) => {
  document.getElementById("wait").textContent = `The description could not be read: ${error}`;
});
