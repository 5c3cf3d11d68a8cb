// One person's way to the HTTP API: signed in once there are tokens, and signed in again when the short
// one has run out.

/** What the server refused, in its own words. */
export class Refusal extends Error {
  constructor(status, problem, retryAfter) {
    const fields = (problem.errors ?? []).map((it) => `${it.field} ${it.message}`).join(', ');
    super(fields || problem.detail || problem.title || `status ${status}`);
    this.status = status;
    this.code = problem.code ?? '';
    this.retryAfter = retryAfter;
  }
}

export class Api {
  /**
   * @param who the name in the log
   * @param log where everything is written down
   * @param onTokens told of new tokens, and of `null` when there are none any more
   */
  constructor(who, log, onTokens) {
    this.who = who;
    this.log = log;
    this.onTokens = onTokens;
    this.tokens = null;
    this.refreshing = null;
  }

  get(path) {
    return this.call('GET', path);
  }

  post(path, body, key) {
    return this.call('POST', path, body, key);
  }

  /** The answer's body; a `Refusal` where the server refuses. */
  async call(method, path, body, key) {
    let answer = await this.send(method, path, body, key);
    if (answer.body?.code === 'token_expired' && (await this.refresh())) {
      answer = await this.send(method, path, body, key);
    }
    if (answer.status >= 400) throw new Refusal(answer.status, answer.body ?? {}, answer.retryAfter);
    return answer.body;
  }

  signIn(tokens) {
    this.tokens = tokens;
    this.onTokens(tokens);
  }

  /** New tokens for old ones; false when there is nothing to be had. Whoever asks meanwhile shares it. */
  refresh(refreshToken = this.tokens?.refresh_token) {
    this.refreshing ??= this.takeNewTokens(refreshToken).finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  async takeNewTokens(refreshToken) {
    if (!refreshToken) return false;
    const answer = await this.send('POST', '/api/auth/refresh', { refresh_token: refreshToken });
    if (answer.status !== 200) {
      // A server that is away may be back: only a refusal ends it.
      if (answer.status === 401) this.signIn(null);
      return false;
    }
    this.signIn(answer.body);
    return true;
  }

  async send(method, path, body, key) {
    const headers = {};
    if (this.tokens) headers.Authorization = `Bearer ${this.tokens.access_token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    const started = performance.now();
    const exchange = { request: body, status: 0 };
    try {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const response = await fetch(path, { method, headers, body: text, cache: 'no-store' });
      exchange.status = response.status;
      exchange.answer = await jsonOf(response);
      const retryAfter = Number(response.headers.get('Retry-After')) || 0;
      return { status: response.status, body: exchange.answer, retryAfter };
    } catch (error) {
      return { status: 503, body: { detail: `The server does not answer (${error.message}).` } };
    } finally {
      exchange.ms = performance.now() - started;
      this.log.request(this.who, method, path, exchange);
    }
  }
}

async function jsonOf(response) {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return { detail: text };
  }
}
