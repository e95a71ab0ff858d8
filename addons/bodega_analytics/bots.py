"""Who is no person looking: programs that name themselves, and those that say nothing.

A list of words to look for in ``User-Agent``, in lower case. It finds what says what it is,
as crawlers of search engines, link previews, monitors and HTTP libraries do; whoever pretends
to be a browser is counted as one, and kept small by the limit of each address.
"""

#: ``bot`` finds Googlebot, bingbot, Twitterbot, GPTBot, AhrefsBot and their like.
WORDS = (
    "bot", "crawl", "spider", "slurp", "scrap", "preview", "facebookexternalhit", "whatsapp",
    "feedfetcher", "mediapartners", "google-", "lighthouse", "pagespeed", "gtmetrix", "headless",
    "phantomjs", "selenium", "puppeteer", "playwright", "monitor", "uptime", "pingdom", "probe",
    "curl", "wget", "httpie", "postman", "python", "aiohttp", "httpx", "go-http-client", "java/",
    "libwww", "axios", "node-fetch", "undici", "guzzle", "ruby", "perl", "archive", "validator",
)  # fmt: skip


#: Telephones of this make are in people's hands, whatever they are called.
_CUBOT = "cubot"


def is_bot(agent: str | None) -> bool:
    """Whether a User-Agent is that of a program that nobody sits in front of."""
    found = (agent or "").strip().lower().replace(_CUBOT, "")
    return not found or any(word in found for word in WORDS)
