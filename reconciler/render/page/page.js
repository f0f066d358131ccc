"use strict";
// Searches and lists the changes. Text goes into the page as text and never as markup.
(() => {
  const PAGE = 60;
  const byId = (id) => document.getElementById(id);
  const { people, symbols } = JSON.parse(byId("data").textContent);
  const list = byId("people");
  if (!list) return; // a plan without changes has nothing to list
  const choices = ["cohort", "kind", "action"].map((name) => [name, byId(name)]);
  const total = people.reduce((sum, person) => sum + person.changes.length, 0);
  const number = new Intl.NumberFormat("en");
  const opened = new Set();
  let matches = [];
  let shown = 0;
  let isOpen = false;

  const make = (name, attributes, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  // A long address breaks after its @ before it breaks anywhere else.
  const outside = (text, attributes = {}) => {
    const [first, ...rest] = text.split("@");
    return make("bdi", attributes, first, ...rest.flatMap((part) => ["@", make("wbr", {}), part]));
  };
  const counted = (amount, one, several) => `${number.format(amount)} ${amount === 1 ? one : several}`;

  // --- what is searched -------------------------------------------------------------

  const simple = (text) => text.normalize("NFKC").toLowerCase();
  for (const person of people) {
    const { name, account, cohort, fate } = person;
    for (const change of person.changes) {
      const { action, noun, what, why, place, fields } = change;
      const words = [name, account, cohort, fate, action, noun, what, why, place, ...fields.flat()];
      change.cohort = cohort;
      change.words = simple(words.filter(Boolean).join("\n"));
    }
  }

  const search = () => {
    const words = simple(byId("text").value).split(/\s+/).filter(Boolean);
    const chosen = choices.filter(([, control]) => control.value);
    const isWanted = (change) =>
      chosen.every(([name, control]) => change[name] === control.value) &&
      words.every((word) => change.words.includes(word));
    matches = [];
    for (const person of people) {
      const changes = person.changes.filter(isWanted);
      if (changes.length) matches.push({ person, changes });
    }
    const found = matches.reduce((sum, match) => sum + match.changes.length, 0);
    const whom = counted(matches.length, "person", "people");
    byId("count").textContent = found
      ? `${number.format(found)} of ${counted(total, "change", "changes")}, for ${whom}`
      : `No change matches; there ${total === 1 ? "is" : "are"} ${number.format(total)}`;
    show(PAGE);
  };

  // --- what is shown ----------------------------------------------------------------

  const action = ({ action: verb }) =>
    make("span", { class: `action ${verb}` },
      make("span", { class: "sign", "aria-hidden": "true" }, symbols[verb]), " ", verb);

  const what = ({ noun, what: name }) => {
    const parts = [make("span", { class: "kind" }, noun)];
    if (name) parts.push(" ", outside(name));
    return parts;
  };

  const value = (text) => (text === null ? make("em", {}, "none") : outside(text));

  const field = ([path, ...values]) => {
    const after = make("ins", {}, value(values.at(-1)));
    const before = values.length > 1 ? [make("del", {}, value(values[0])), " → "] : [];
    return make("li", {}, make("span", { class: "path" }, path), " ", ...before, after);
  };

  const cell = (label, ...children) =>
    make("td", { role: "cell", "data-label": label }, ...children);

  const row = (change) => {
    const fields = change.fields.length
      ? [make("ul", { class: "fields" }, ...change.fields.map(field))]
      : [];
    const place = change.place ? [make("code", {}, change.place)] : [];
    return make("tr", { role: "row" },
      make("th", { scope: "row", role: "rowheader" }, action(change)),
      cell("What", ...what(change)),
      cell("Properties", ...fields),
      cell("Why", change.why, ...(place.length ? [" ", ...place] : [])));
  };

  const table = ({ person, changes }) => {
    const heads = ["Action", "What", "Properties", "Why"].map((name) =>
      make("th", { scope: "col", role: "columnheader" }, name));
    return make("table", { role: "table" },
      make("caption", {}, `Changes for ${person.account}`),
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads)),
      make("tbody", { role: "rowgroup" }, ...changes.map(row)));
  };

  const unfold = (details, match) => {
    details.open = true;
    if (details.childElementCount > 1) return;
    details.append(table(match));
    const rest = match.person.changes.length - match.changes.length;
    if (rest) details.append(make("p", {}, `${counted(rest, "other change", "other changes")} of this person not shown`));
  };

  const gist = ({ changes }) => {
    const most = changes.length > 6 ? 5 : 6;
    const lines = changes.slice(0, most).map((change) =>
      make("span", { class: "line" }, action(change), " ", ...what(change)));
    if (changes.length > most) lines.push(make("span", { class: "line more" }, `and ${number.format(changes.length - most)} more`));
    return make("span", { class: "gist" }, ...lines);
  };

  const item = (match) => {
    const { name, account, cohort, fate } = match.person;
    const who = make("span", { class: "who" },
      outside(name || account, { class: "name" }),
      ...(name ? [" ", outside(account, { class: "account" })] : []), " ",
      make("span", { class: "fate" }, `${fate}, `, outside(cohort, { class: "cohort" })));
    const details = make("details", {}, make("summary", {}, who, " ", gist(match)));
    if (isOpen || opened.has(match.person)) unfold(details, match);
    details.addEventListener("toggle", () => {
      if (!details.open) return opened.delete(match.person);
      unfold(details, match);
      return opened.add(match.person);
    });
    return make("li", {}, details);
  };

  const add = (amount) => {
    const next = matches.slice(shown, shown + amount);
    list.append(...next.map(item));
    shown += next.length;
    const rest = matches.length - shown;
    byId("more").hidden = !rest;
    byId("more").textContent = `Show ${number.format(Math.min(rest, 4 * PAGE))} more of ${counted(rest, "person", "people")}`;
  };

  const show = (amount) => {
    list.replaceChildren();
    shown = 0;
    add(amount);
  };

  // --- what people do ---------------------------------------------------------------

  let later = 0;
  const soon = () => {
    clearTimeout(later);
    later = setTimeout(search, 120); // one search, and one announcement, for quick typing
  };
  const form = byId("filter");
  form.addEventListener("input", soon);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", soon);

  byId("more").addEventListener("click", () => {
    const first = shown;
    add(4 * PAGE);
    list.children[first].querySelector("summary").focus();
  });

  byId("open").addEventListener("click", ({ currentTarget: button }) => {
    isOpen = !isOpen;
    opened.clear();
    button.setAttribute("aria-pressed", String(isOpen));
    show(Math.max(shown, PAGE));
  });

  // Paper has no buttons: everything that matches is printed, and open.
  addEventListener("beforeprint", () => {
    const before = { isOpen, shown };
    isOpen = true;
    show(matches.length);
    addEventListener("afterprint", () => {
      isOpen = before.isOpen;
      show(before.shown);
    }, { once: true });
  });

  byId("plain").remove();
  form.hidden = false;
  byId("told").hidden = false;
  search();
})();
