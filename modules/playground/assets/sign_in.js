// Signing in by phone and code.

import { copy, say } from './dom.js';

const INTRO = {
  customer: 'Somebody who would like to talk. Any Indonesian phone will do: the first sign-in makes the account.',
  mitra: 'Somebody who listens. An admin makes their accounts; here, +6281200000001 to …08 are there already.',
};

export class SignIn {
  /**
   * @param pane whose role signs in
   * @param sandbox where codes that were sent can be read; empty where there is none
   */
  constructor(pane, phone, sandbox) {
    this.pane = pane;
    this.sandbox = sandbox;
    this.parts = copy('sign-in');
    this.root = this.parts.root;
    say(this.parts.intro, INTRO[pane.role]);
    const { phone: field, root, verify, back } = this.parts;
    field.value = phone;
    root.addEventListener('submit', (event) => {
      event.preventDefault();
      pane.act(() => (this.parts.second.hidden ? this.ask() : this.verify()));
    });
    verify.addEventListener('click', () => pane.act(() => this.verify()));
    back.addEventListener('click', () => this.start());
  }

  /** The first step again. */
  start() {
    const { phone, send, second } = this.parts;
    second.hidden = true;
    send.hidden = false;
    phone.readOnly = false;
  }

  async ask() {
    const { phone, send, second, code } = this.parts;
    const asked = { phone: phone.value.trim(), role: this.pane.role };
    const sent = await this.pane.api.post('/api/auth/otp/request', asked);
    this.otpId = sent.otp_id;
    code.value = sent.channel === 'bypass' ? '000000' : '';
    this.hint(sent.channel);
    phone.readOnly = true;
    send.hidden = true;
    second.hidden = false;
    code.focus();
    code.select();
  }

  hint(channel) {
    const { hint } = this.parts;
    if (channel === 'bypass') {
      say(hint, 'Nothing is sent here: one code signs every test phone in.');
      return;
    }
    say(hint, this.sandbox ? 'It was sent to the phone, which here is ' : 'It was sent to the phone.');
    if (!this.sandbox) return;
    const link = document.createElement('a');
    Object.assign(link, { href: this.sandbox, target: '_blank', rel: 'noopener', textContent: 'the sandbox' });
    hint.append(link, ': copy it from there.');
  }

  async verify() {
    const device = { platform: 'web', name: 'playground' };
    const shown = { otp_id: this.otpId, code: this.parts.code.value.trim(), device };
    const tokens = await this.pane.api.post('/api/auth/otp/verify', shown);
    this.start();
    await this.pane.enter(tokens);
    this.pane.home.focus();
  }
}
