import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

interface Props {
  title: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: ReactNode;
  role?: "dialog" | "alertdialog";
}

/** A window over the page: focus stays in it, Escape and a click beside it close it. */
export function Sheet({ title, open, onOpenChange, children, role = "dialog" }: Props) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={open}
      onOpenChange={onOpenChange}
      isDismissable={role === "dialog"}
    >
      <Modal className="sheet">
        <Dialog className="sheet-body" role={role}>
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
