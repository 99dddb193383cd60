import type { AccountSession, RecoveryPhrase, SignUpTicket, UsernameCheck, VaultInfo } from "../api";
import { LineLost } from "../net/connection";
import type { Desk } from "./desk";

/** For so many milliseconds a lost line may come back by itself before the person is told. */
const LINE_BACK_WITHIN = 8_000;

/** What the account wants to have done beside its own requests. */
interface Aftermath {
  /** The account may have changed: fetches the status. */
  changed(): Promise<void>;
  /** The account went on purpose: what was set aside for it is forgotten. */
  gone(): void;
}

/** Sign-up, log-in, and what guards the account. */
export class Account {
  private readonly desk: Desk;
  private readonly after: Aftermath;

  constructor(desk: Desk, after: Aftermath) {
    this.desk = desk;
    this.after = after;
  }

  async checkUsername(username: string): Promise<UsernameCheck> {
    return this.desk.ask({ type: "check_username", username });
  }

  async signUp(username: string): Promise<SignUpTicket> {
    const ticket = await this.desk.ask({ type: "sign_up", username });
    await this.after.changed();
    return ticket;
  }

  /** The codes go to the store before the account becomes active, or the main page would hide them. */
  async confirmSignUp(code: string): Promise<void> {
    const { username, recovery_codes } = await this.desk.ask({ type: "confirm_sign_up", code });
    this.desk.store.setState({ signedUp: { username, recovery_codes } });
    await this.after.changed();
  }

  async cancelSignUp(): Promise<void> {
    await this.desk.ask({ type: "cancel_sign_up" });
    await this.after.changed();
  }

  codesSaved(): void {
    this.desk.store.setState({ signedUp: null });
  }

  /** Adds this device to an account: by its phrase, or by waiting for another device to let it in. */
  async link(username: string, code: string, phrase: string | null): Promise<void> {
    await this.desk.ask({ type: "link", username, code, phrase });
    await this.after.changed();
  }

  async cancelLink(): Promise<void> {
    await this.desk.ask({ type: "cancel_link" });
    await this.after.changed();
  }

  async fetchDevices(): Promise<void> {
    const { devices } = await this.desk.ask({ type: "devices" });
    this.desk.store.setState({ devices });
  }

  /** `history`: it gets what is here, too. */
  async addDevice(code: string, history: boolean): Promise<void> {
    await this.desk.ask({ type: "add_device", code, history });
  }

  async removeDevice(device: string): Promise<void> {
    await this.desk.ask({ type: "remove_device", device });
  }

  /** Everything on a device that was removed. */
  async erase(): Promise<void> {
    await this.desk.ask({ type: "erase" });
    await this.after.changed();
    this.after.gone();
  }

  async logIn(username: string, code: string): Promise<void> {
    await this.opens(() => this.desk.ask({ type: "log_in", username, code }));
  }

  /**
   * A node that was just locked closes the line a moment later. What was typed into that moment is asked for once more
   * with the next line, unless it was heard after all.
   */
  private async opens(ask: () => Promise<unknown>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof LineLost) || !(await this.lineIsBack())) throw error;
      await this.after.changed();
      if (this.desk.store.getState().status?.account.state === "active") return;
      await ask();
    }
    await this.after.changed();
  }

  private lineIsBack(): Promise<boolean> {
    const { store, around } = this.desk;
    const isOpen = () => store.getState().line.state === "open";
    if (isOpen()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const stop = (back: boolean) => {
        unsubscribe();
        giveUp();
        resolve(back);
      };
      const unsubscribe = store.subscribe(() => isOpen() && stop(true));
      const giveUp = around.after(LINE_BACK_WITHIN, () => stop(false));
    });
  }

  async logOut(): Promise<void> {
    await this.desk.ask({ type: "log_out" });
    await this.after.changed();
    this.after.gone();
  }

  async newRecoveryCodes(code: string): Promise<string[]> {
    return (await this.desk.ask({ type: "new_recovery_codes", code })).recovery_codes;
  }

  /** The node closes the line behind it: nothing said over it may stay in its memory. */
  async lock(): Promise<void> {
    await this.desk.ask({ type: "lock" });
    await this.after.changed();
  }

  async unlockByPhrase(phrase: string): Promise<void> {
    await this.opens(() => this.desk.ask({ type: "unlock_by_phrase", phrase }));
  }

  async unlockByPassphrase(passphrase: string): Promise<void> {
    await this.opens(() => this.desk.ask({ type: "unlock_by_passphrase", passphrase }));
  }

  async vault(): Promise<VaultInfo> {
    return this.desk.ask({ type: "vault" });
  }

  async setVault(stay_unlocked: boolean, lock_after: number): Promise<void> {
    await this.desk.ask({ type: "set_vault", stay_unlocked, lock_after });
  }

  async setPassphrase(passphrase: string | null): Promise<void> {
    await this.desk.ask({ type: "set_passphrase", passphrase });
  }

  async phrase(): Promise<RecoveryPhrase> {
    return this.desk.ask({ type: "phrase" });
  }

  async confirmPhrase(words: string[]): Promise<void> {
    await this.desk.ask({ type: "confirm_phrase", words });
    await this.after.changed();
  }

  async checkPhrase(phrase: string): Promise<void> {
    await this.desk.ask({ type: "check_phrase", phrase });
  }

  async addAuthenticator(code: string): Promise<SignUpTicket> {
    return this.desk.ask({ type: "add_authenticator", code });
  }

  async confirmAuthenticator(code: string): Promise<void> {
    await this.desk.ask({ type: "confirm_authenticator", code });
  }

  async removeAuthenticator(code: string): Promise<void> {
    await this.desk.ask({ type: "remove_authenticator", code });
  }

  /** The name that others see beside the username; empty when there is none. */
  async profile(): Promise<string> {
    return (await this.desk.ask({ type: "profile" })).display_name;
  }

  async setProfile(display_name: string): Promise<void> {
    await this.desk.ask({ type: "set_profile", display_name });
  }

  async sessions(): Promise<AccountSession[]> {
    return (await this.desk.ask({ type: "sessions" })).sessions;
  }

  async endSession(id: string): Promise<void> {
    await this.desk.ask({ type: "end_session", id });
  }

  async rename(username: string, code: string): Promise<void> {
    await this.desk.ask({ type: "change_username", username, code });
    await this.after.changed();
  }

  /** Everything this page knew is of an account that is no more. */
  async deleteAccount(code: string): Promise<void> {
    await this.desk.ask({ type: "delete_account", code });
    await this.after.changed();
    this.after.gone();
  }
}
