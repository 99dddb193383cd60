import { useState } from "react";
import { Button, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { explain } from "../state/explain";
import { useClient, usePart } from "../state/hooks";
import type { Problem } from "../state/pending";
import { chooseTheme, chosenTheme, type Theme } from "../state/theme";
import { exportOf } from "../text/deeds";
import { Account } from "./Account";
import { Backup } from "./Backup";
import { Devices } from "./Devices";
import { Sheet } from "./Dialogs";
import { DirectFiles } from "./DirectFiles";
import { Complaint } from "./Entry";
import { More } from "./icons";

const THEMES: [Theme, string][] = [
  ["system", "Like the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export function OwnMenu() {
  const [theme, setTheme] = useState(chosenTheme);
  const [leaving, setLeaving] = useState(false);
  const [account, setAccount] = useState(false);
  const [devices, setDevices] = useState(false);
  const [backup, setBackup] = useState(false);
  const [files, setFiles] = useState(false);
  const version = usePart((s) => s.status?.version ?? "");
  const client = useClient();

  /** A refusal is shown above the chats; once it worked, the node closes the line, which is no failure. */
  async function lock() {
    const refusal = await client.account.lock().then(
      () => null,
      (error: unknown) => explain(error),
    );
    const open = client.store.getState().status?.account.state === "active";
    if (refusal && open && client.store.getState().line.state === "open") client.store.setState({ refusal });
  }

  return (
    <>
      <MenuTrigger>
        <Button className="button round" aria-label="Menu">
          <More />
        </Button>
        <Popover className="popover" placement="bottom end">
          <Menu className="menu">
            <MenuSection
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[theme]}
              onSelectionChange={(keys) => {
                const [next] = [...keys] as Theme[];
                if (!next) return;
                chooseTheme(next);
                setTheme(next);
              }}
            >
              <Header>Appearance</Header>
              {THEMES.map(([id, name]) => (
                <MenuItem key={id} id={id} className="menu-item">
                  {name}
                </MenuItem>
              ))}
            </MenuSection>
            <MenuSection>
              <Header>LiveChat {version}</Header>
              <MenuItem id="account" className="menu-item" onAction={() => setAccount(true)}>
                Account…
              </MenuItem>
              <MenuItem id="devices" className="menu-item" onAction={() => setDevices(true)}>
                Devices…
              </MenuItem>
              <MenuItem id="files" className="menu-item" onAction={() => setFiles(true)}>
                Files…
              </MenuItem>
              <MenuItem id="backup" className="menu-item" onAction={() => setBackup(true)}>
                Backup…
              </MenuItem>
              <MenuItem id="export" className="menu-item" href={exportOf(null, "markdown")} download="">
                Export all chats
              </MenuItem>
              <MenuItem
                id="export-files"
                className="menu-item"
                href={exportOf(null, "markdown", true)}
                download=""
              >
                Export all chats with files
              </MenuItem>
              <MenuItem id="export-json" className="menu-item" href={exportOf(null, "jsonl")} download="">
                Export for programs
              </MenuItem>
              <MenuItem id="lock" className="menu-item" onAction={() => void lock()}>
                Lock now
              </MenuItem>
              <MenuItem id="log-out" className="menu-item" onAction={() => setLeaving(true)}>
                Log out
              </MenuItem>
            </MenuSection>
          </Menu>
        </Popover>
      </MenuTrigger>
      <Account open={account} onOpenChange={setAccount} />
      <Devices open={devices} onOpenChange={setDevices} />
      <DirectFiles open={files} onOpenChange={setFiles} />
      <Backup open={backup} onOpenChange={setBackup} />
      <Leave open={leaving} onOpenChange={setLeaving} />
    </>
  );
}

function Leave({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const client = useClient();
  const unsent = usePart((s) => Object.values(s.pending).flat().length);
  const queued = usePart((s) => s.status?.queued ?? 0);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function leave() {
    setProblem(null);
    try {
      await client.account.logOut();
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return (
    <Sheet title="Log out?" role="alertdialog" open={open} onOpenChange={onOpenChange}>
      <p>
        Your chats stay on this device, encrypted. To come back you need a code from your authenticator app.
      </p>
      {queued > 0 && <p>{queued} of your messages still wait here for the relay.</p>}
      {unsent > 0 && (
        <Complaint message={`${unsent} of your messages would be lost: they never reached your node.`} />
      )}
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => onOpenChange(false)}>
          Stay
        </button>
        <button type="button" className="button danger" onClick={() => void leave()}>
          Log out
        </button>
      </div>
    </Sheet>
  );
}
