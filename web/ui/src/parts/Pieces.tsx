import { Fragment } from "react";
import type { Piece } from "../text/notices";

/** A sentence with others' names and titles in it, each kept from turning the words around it. */
export function Pieces({ pieces }: { pieces: readonly Piece[] }) {
  return pieces.map((piece, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one sentence never move
    <Fragment key={i}>
      {typeof piece === "string" ? piece : <bdi className="name">{piece.theirs}</bdi>}
    </Fragment>
  ));
}
