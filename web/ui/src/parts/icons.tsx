import type { ReactNode } from "react";

function Icon({ children, size = 20 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const Back = () => (
  <Icon size={22}>
    <path d="M15 5l-7 7 7 7" />
  </Icon>
);
export const Down = () => (
  <Icon size={18}>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
);
/** Beside the name of somebody whose safety number was compared. */
export const Verified = () => (
  <span className="verified" role="img" aria-label="Verified" title="Verified">
    <Icon size={16}>
      <path d="M12 3l7 3v6c0 4.500-3 7.500-7 9-4-1.500-7-4.500-7-9V6zM9 12l2 2 4-4" />
    </Icon>
  </span>
);
export const Search = () => (
  <Icon size={18}>
    <circle cx="11" cy="11" r="6.500" />
    <path d="M16 16l4.500 4.500" />
  </Icon>
);
export const Plus = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
);
export const People = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <circle cx="9" cy="8" r="3.500" />
    <path d="M3 19c.500-4 3-6 6-6s5.500 2 6 6M16 5.200a3 3 0 0 1 0 5.600M18 13.500c1.800.800 2.700 2.600 3 5" />
  </Icon>
);
export const SendIcon = () => (
  <Icon>
    <path d="M5 12l15-7-4 15-4.500-6z" fill="currentColor" />
  </Icon>
);
export const Smile = () => (
  <Icon size={22}>
    <circle cx="12" cy="12" r="9" />
    <path d="M8.500 14.500a4.500 4.500 0 0 0 7 0M9 9.500v.01M15 9.500v.01" />
  </Icon>
);
export const Shield = ({ size = 20 }: { size?: number }) => (
  <Icon size={size}>
    <path d="M12 3l7 3v5c0 4.500-3 8-7 10-4-2-7-5.500-7-10V6z" />
    <path d="M9 12l2 2 4-4" />
  </Icon>
);
export const Lock = () => (
  <Icon size={14}>
    <rect x="5" y="11" width="14" height="9" rx="2" />
    <path d="M8 11V8a4 4 0 0 1 8 0v3" />
  </Icon>
);
export const More = () => (
  <Icon>
    <path d="M12 6v.01M12 12v.01M12 18v.01" strokeWidth="3" />
  </Icon>
);
export const Info = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5M12 8v.01" />
  </Icon>
);
export const Close = () => (
  <Icon size={18}>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);
export const Pin = () => (
  <Icon size={14}>
    <path d="M9 4h6l-1 7 3 3H7l3-3zM12 14v6" />
  </Icon>
);
export const Muted = () => (
  <Icon size={14}>
    <path d="M6 16V11a6 6 0 0 1 9-5.200M18 10v6M4 16h12M10 20h4M4 4l16 16" />
  </Icon>
);
export const Clock = () => (
  <Icon size={14}>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 7v5l3 2" />
  </Icon>
);
export const CopyIcon = () => (
  <Icon size={18}>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15V6a2 2 0 0 1 2-2h8" />
  </Icon>
);
export const Warning = () => (
  <Icon size={18}>
    <path d="M12 4l9 16H3z" />
    <path d="M12 10v4M12 17v.01" />
  </Icon>
);

export function Logo() {
  return (
    <svg className="logo" width="40" height="40" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <rect width="64" height="64" rx="17" fill="var(--accent)" />
      <path
        d="M14 18.500A6.500 6.500 0 0 1 20.500 12h23a6.500 6.500 0 0 1 6.500 6.500v16a6.500 6.500 0 0 1-6.500 6.500H31l-9.600 8.600A1.500 1.500 0 0 1 19 48.500V41a6.500 6.500 0 0 1-5-6.300z"
        fill="#fff"
      />
      <circle cx="32" cy="26.500" r="6" fill="#22c55e" />
    </svg>
  );
}
export const Clip = () => (
  <Icon>
    <path d="M20 11.500l-8 8a5 5 0 0 1-7-7l8.500-8.500a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.600 1.600 0 0 1-2.300-2.300l7.600-7.600" />
  </Icon>
);
export const FileIcon = () => (
  <Icon>
    <path d="M14 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8zM14 3v5h5" />
  </Icon>
);
export const Microphone = () => (
  <Icon>
    <rect x="9" y="3" width="6" height="11" rx="3" />
    <path d="M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3" />
  </Icon>
);
export const Stop = () => (
  <Icon>
    <rect x="6" y="6" width="12" height="12" rx="1.500" fill="currentColor" />
  </Icon>
);
export const Play = () => (
  <Icon>
    <path d="M7 4.500l12 7.500-12 7.500z" fill="currentColor" />
  </Icon>
);
export const Pause = () => (
  <Icon>
    <path d="M8 5v14M16 5v14" strokeWidth="4" />
  </Icon>
);
