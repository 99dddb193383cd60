//! What `livechat --help` says of environment and JSON.

/// What the environment says.
pub const ENVIRONMENT: &str = "\
Environment:
  LIVECHAT_DATA_DIR  where the node lives, when --data-dir isn't given
                     (else $XDG_DATA_HOME/livechat, else ~/.local/share/livechat)
  LIVECHAT_RELAY     the relay's address, when --relay isn't given
  LIVECHAT_LOG       what --verbose prints, e.g. livechat_node=trace
  NO_COLOR           no colours, when set to anything";

/// What programs read.
pub const JSON: &str = "\
JSON (--json): one object per line on standard output, each with a \"type\":
  message     {\"type\":\"message\",\"contact\":\"bob\",\"message\":{\"id\",\"position\",\"author\",\"author_name\",
              \"own\",\"sent_at\",\"received_at\",\"body\":{\"type\":\"text\",\"text\"},\"delivery\",\"gap\"}}
  hit         {\"type\":\"hit\",\"conversation\",\"title\",\"group\",\"message\":{…},\"excerpt\":[{\"text\",\"hit\"}]}
  saved       {\"type\":\"saved\",\"path\",\"messages\"}
  backed_up   {\"type\":\"backed_up\",\"path\",\"secret\",\"messages\"}
  restored    {\"type\":\"restored\",\"contacts\",\"conversations\",\"messages\",\"left\"}
  contact     {\"type\":\"contact\",\"account\",\"username\",\"conversation\",\"safety_number\",\"unread\"}
  status      {\"type\":\"status\",\"account\":{\"state\"},\"relay_url\",\"relay\":{\"state\"},\"peers\",\"queued\",\"live_users\",\"version\"}
  group       {\"type\":\"group\",\"conversation\",\"title\",\"members\":[{\"account\",\"username\",\"role\",\"own\"}],\"own_role\",
              \"standing\",\"pending\",\"waiting\",\"forked\",\"provisional\",\"order\",\"open\",\"epoch\",\"authenticator\"}
  link        {\"type\":\"link\",\"group\",\"door\",\"link\",\"qr_svg\",\"made_by\",\"expires_at\",\"uses\",\"used\",\"state\"}
  joining     {\"type\":\"joining\",\"door\",\"doorkeepers\",\"since\",\"state\":{\"state\"}}
  sign_up     {\"type\":\"sign_up\",\"username\",\"otpauth_uri\",\"setup_key\",\"expires_at\"}
  signed_up   {\"type\":\"signed_up\",\"username\",\"recovery_codes\"}
  linking     {\"type\":\"linking\",\"username\",\"code\",\"expires_at\"}
  device      {\"type\":\"device\",\"device\",\"this\",\"added_at\",\"added_by\",\"removed_at\",\"removed_by\",\"pending\"}
  handover    {\"type\":\"handover\",\"device\",\"step\",\"messages\",\"done\",\"total\",\"state\":{\"state\"}}   (device: null, to this one)
  vault       {\"type\":\"vault\",\"guarded\",\"passphrase\",\"phrase\",\"stay_unlocked\",\"lock_after\"}
  direct_files {\"type\":\"direct_files\",\"on\"}
  phrase      {\"type\":\"phrase\",\"words\",\"ask\"}
  finding     {\"type\":\"finding\",\"check\",\"ok\",\"says\",\"next\"}
  person      {\"type\":\"person\",\"name\",\"link\",\"data_dir\",\"setup_key\"}   (demo)
  check       {\"type\":\"check\",\"ok\",\"says\"}   (demo --script)
  saved       {\"type\":\"saved\",\"path\"}
  done        {\"type\":\"done\"}
Events (events): one object per line, with or without --json; the first is a status, how things stand. \"type\" is one of
  status, message_added, message_changed, message_removed, typing, conversation_changed, group_changed, joining_changed,
  devices_changed, transfer_changed, and lagged: some were lost, or the node was away; ask for what you need again.
A failure is one object on standard error: {\"type\":\"error\",\"code\",\"message\",\"hint\",\"retry_after\"}.
Times called since and *_at of messages are Unix milliseconds, all others Unix seconds. Control characters are escaped.";
