import { useState } from "react";
import type { Message, MessageBody, Transfer } from "../api";
import { fileUrl, keyOf, soundOf } from "../state/files";
import { useClient, usePart } from "../state/hooks";
import { wholeTime } from "../text/dates";
import { amount, previewUrl } from "../text/files";
import { FileIcon } from "./icons";
import { Progress } from "./Progress";
import { VoicePlayer } from "./VoicePlayer";

type FileContent = Extract<MessageBody, { type: "file" }>;

/** Bytes of the longest voice note that the page takes into its memory: an hour at twice the rate it records with. */
const PLAYED = 32 * 2 ** 20;

/** A file in its message: what it is, and how to have it. Pictures are shown once they are here. */
export function FileBody({ chat, message, file }: { chat: string; message: Message; file: FileContent }) {
  const client = useClient();
  const transfer = usePart((s) => s.transfers[keyOf({ conversation: chat, message: message.id, up: false })]);
  const over = !file.here && file.until * 1000 < Date.now();
  const fetch = () =>
    void client.does({ type: "fetch_file", conversation: chat, position: message.position });
  return (
    <div className="file">
      <Picture chat={chat} message={message} file={file} />
      {file.voice && file.size <= PLAYED && (
        <VoicePlayer
          load={file.here ? () => soundOf(chat, message.position) : null}
          fetch={transfer || over ? undefined : fetch}
          millis={file.voice.millis}
          levels={file.voice.levels}
          label={message.own ? "your voice note" : `voice note of ${message.author_name}`}
        />
      )}
      <div className="file-line">
        <FileIcon />
        <p>
          <bdi className="file-name">{file.name}</bdi>
          <span className="file-size">{amount(file.size)}</span>
        </p>
        {file.here ? (
          <a className="button" href={fileUrl(chat, message.position)} download={file.name}>
            Save
          </a>
        ) : transfer ? null : over ? (
          <span className="file-size">expired</span>
        ) : (
          <button
            type="button"
            className="button"
            title={`The relay keeps it until ${wholeTime(file.until * 1000)}`}
            onClick={fetch}
          >
            Download
          </button>
        )}
      </div>
      {transfer && <Coming transfer={transfer} />}
    </div>
  );
}

function Coming({ transfer }: { transfer: Transfer }) {
  return <Progress transfer={transfer} label={`Downloading ${transfer.name}`} />;
}

/** The preview at once; the picture itself when it is here, if the node says that it is one. */
function Picture({ chat, message, file }: { chat: string; message: Message; file: FileContent }) {
  const [broken, setBroken] = useState(false);
  const preview = file.preview ? previewUrl(file.preview) : null;
  const whole = file.here && preview && !broken ? fileUrl(chat, message.position, true) : null;
  const shown = whole ?? preview;
  if (!shown) return null;
  // What can't be decoded is still a file.
  return (
    <img
      className="file-picture"
      src={shown}
      alt={file.name}
      decoding="async"
      onError={whole ? () => setBroken(true) : undefined}
    />
  );
}
