import { CopyButton } from "./CopyButton";

/** Recovery codes, to copy and to download. They are kept nowhere. */
export function RecoveryList({ username, codes }: { username: string; codes: string[] }) {
  const text = codes.join("\n");

  function download() {
    const about = `LiveChat recovery codes of ${username}. Each lets you log in once.\n\n${text}\n`;
    const address = URL.createObjectURL(new Blob([about], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `livechat-recovery-${username}.txt`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  return (
    <>
      <ol className="codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="button-row">
        <CopyButton text={text} what="all" />
        <button type="button" className="button" onClick={download}>
          Download
        </button>
      </div>
    </>
  );
}
