// The application's page. It keeps no token: a sign-in is carried over to the cookie at once, which no
// script can read. Whatever is refused is shown; whatever is shown is text, never markup.

const KEY = "rule";
const $ = (id) => document.getElementById(id);
const say = (text) => { $("notice").textContent = text; };

// What this device has seen last of the draft, and whether it is published.
let etag = null;
let slug = null;

async function call(method, path, { json, headers = {} } = {}) {
  const init = { method, headers: { ...headers } };
  if (json !== undefined) {
    init.headers["content-type"] = "application/json";
    init.body = JSON.stringify(json);
  }
  const answer = await fetch(path, init);
  const body = answer.headers.get("content-type")?.includes("json") ? await answer.json() : null;
  // A proxy that compresses weakens tags, and only a strong one matches in If-Match.
  const etag = answer.headers.get("etag")?.replace(/^W\//, "") ?? null;
  return { status: answer.status, ok: answer.ok, etag, body };
}

function show(...ids) {
  for (const part of ["ask", "open", "editor", "conflict"]) $(part).hidden = !ids.includes(part);
}

function complain(answer) {
  const field = answer.body?.errors?.[0];
  say(field ? `${field.field} ${field.message}` : answer.body?.detail ?? "That did not work.");
}

function refused(answer) {
  complain(answer);
  if (answer.status === 401) signedOut();
}

function signedOut() {
  $("who").hidden = true;
  show("ask");
}

async function signedIn(user) {
  $("name").textContent = user.display_name;
  $("who").hidden = false;
  show("editor");
  await read();
}

async function start() {
  // Whoever is signed in may have opened a link of another account of theirs.
  if (location.pathname === "/auth/email") return show("open");
  const me = await call("GET", "/api/auth/me");
  if (me.ok) return signedIn(me.body);
  signedOut();
}

// A link is used by a click, never by being opened: mail scanners open links.
async function useLink() {
  const token = new URLSearchParams(location.search).get("token");
  history.replaceState(null, "", "/");
  const device = { platform: "web" };
  const tokens = await call("POST", "/api/auth/email/verify", { json: { token, device } });
  if (!tokens.ok) { await start(); return complain(tokens); }
  const headers = { authorization: `Bearer ${tokens.body.access_token}` };
  const session = await call("POST", "/api/auth/cookie", { headers });
  if (!session.ok) { await start(); return complain(session); }
  say("");
  await signedIn(session.body.user);
}

async function ask() {
  const sent = await call("POST", "/api/auth/email/request", { json: { email: $("email").value } });
  sent.ok ? say("Look into your mail: the link works for 15 minutes, and once.") : refused(sent);
}

const written = () => ({ title: $("title").value, text: $("text").value });

function fill(draft) {
  $("title").value = draft.title ?? "";
  $("text").value = draft.text ?? "";
}

async function read() {
  const draft = await call("GET", `/api/drafts/${KEY}`);
  if (draft.status === 404) etag = null;
  else if (!draft.ok) return refused(draft);
  else { etag = draft.etag; fill(draft.body); }
  const list = await call("GET", "/api/publications");
  const mine = list.body?.items?.find((it) => it.key === KEY);
  shownAs(mine?.is_public ? mine.slug : null);
  if (mine) $("slug").value = mine.slug;
}

async function save() {
  const headers = etag ? { "if-match": etag } : { "if-none-match": "*" };
  const saved = await call("PUT", `/api/drafts/${KEY}`, { json: written(), headers });
  if (saved.ok) { etag = saved.etag; show("editor"); say("Saved."); return true; }
  if (saved.status !== 412) { refused(saved); return false; }
  const theirs = await call("GET", `/api/drafts/${KEY}`);
  if (!theirs.ok && theirs.status !== 404) { refused(theirs); return false; }
  const draft = theirs.ok ? theirs.body : { title: "(deleted)", text: "" };
  $("theirs").textContent = `${draft.title}\n\n${draft.text}`;
  $("keep-mine").onclick = () => { etag = theirs.ok ? theirs.etag : null; run(save); };
  $("take-theirs").onclick = () => { etag = theirs.ok ? theirs.etag : null; fill(theirs.ok ? draft : {}); show("editor"); say(""); };
  show("editor", "conflict");
  say("Not saved yet.");
  return false;
}

function shownAs(published) {
  slug = published;
  $("unpublish").hidden = !slug;
  $("published").hidden = !slug;
  if (slug) $("published").href = `/api/published/${slug}`;
}

async function publish() {
  if (!await save()) return;
  const json = { slug: $("slug").value };
  const done = await call("PUT", `/api/drafts/${KEY}/publication`, { json, headers: { "if-match": etag } });
  if (!done.ok) return refused(done);
  shownAs(done.body.slug);
  say(`Published as version ${done.body.version}.`);
}

async function unpublish() {
  const done = await call("DELETE", `/api/drafts/${KEY}/publication`);
  if (!done.ok) return refused(done);
  shownAs(null);
  say("Nobody sees it any more.");
}

async function signOut() {
  const done = await call("POST", "/api/auth/logout");
  if (!done.ok && done.status !== 401) return refused(done);
  fill({});
  etag = null;
  signedOut();
  say("Signed out.");
}

const run = (work) => work().catch(() => say("The server does not answer."));
const on = (id, event, work) => $(id).addEventListener(event, (it) => { it.preventDefault(); run(work); });

on("ask", "submit", ask);
on("use-link", "click", useLink);
on("editor", "submit", save);
on("publish", "click", publish);
on("unpublish", "click", unpublish);
on("sign-out", "click", signOut);
run(start);
