import type { Group } from "../api";
import { underway } from "../text/groups";
import { Clock, Warning } from "./icons";

/** Who stands in for the relay, which puts changes in order. */
const orderWords = {
  here: "The relay is away. This device puts changes in order meanwhile: removals now, other changes after a day.",
  deputy: "The relay is away. An admin's device puts changes in order meanwhile.",
  nobody:
    "The relay is away, and so is everybody who could put changes in order: they wait. Everybody can write.",
};

/** What everybody in a group should know now: that changes wait for the relay, or that it told two stories. */
export function GroupState({ group }: { group: Group }) {
  const wait = group.waiting ? underway(group) : null;
  return (
    <>
      <div role="status">
        {wait && (
          <p className="group-state">
            <Clock /> {wait}
          </p>
        )}
        {group.order !== "relay" && (
          <p className="group-state">
            <Clock /> {orderWords[group.order]}
          </p>
        )}
        {group.provisional > 0 && (
          <p className="group-state">
            <Clock /> Changed without the relay. It may have another order, and take the change back.
          </p>
        )}
      </div>
      {group.forked && (
        <p className="group-state bad" role="alert">
          <Warning /> The relay showed different orders of changes to different members: you may not all see
          the same group. Compare it with the others, in person or on a call.
        </p>
      )}
    </>
  );
}

/** Why nothing can be written here any more. */
export function ClosedBanner({ group }: { group: Group }) {
  const left = group.standing === "left";
  return (
    <section className="standing" aria-label="You aren't in this group any more">
      <p>
        {left ? "You left this group." : "You were removed from this group."} You can read what was written
        while you were in it, and can't write.{" "}
        {left ? "Somebody in it can invite you again." : "An owner or an admin can invite you again."}
      </p>
    </section>
  );
}
