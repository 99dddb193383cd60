import { type ReactNode, useEffect, useRef } from "react";
import { Logo } from "./icons";

/** The frame of every screen before the chats: mark, heading, a card. */
export function Entry({ title, children }: { title: string; children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever can't see the screen change hears where they are; a field that takes the focus itself wins.
  useEffect(() => {
    document.title = `${title} · LiveChat`;
    const here = document.activeElement;
    if (!here || here === document.body) heading.current?.focus();
  }, [title]);
  return (
    <main className="entry">
      <div className="entry-card">
        <header className="entry-brand">
          <Logo />
          <span>LiveChat</span>
        </header>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </div>
      <p className="entry-note">
        Messages are encrypted on this computer, end to end. The relay passes on sealed envelopes it can't
        open.
      </p>
    </main>
  );
}

/** A failure in words, read out at once. */
export function Complaint({ message, hint }: { message: string; hint?: string }) {
  return (
    <div className="complaint" role="alert">
      <strong>{message}</strong>
      {hint && <span> {hint}</span>}
    </div>
  );
}
