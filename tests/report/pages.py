"""pages.py WHOLE RECORDING TWO: what a browser makes of three reports; browser_test.sh makes them."""
import os
import sys

from browser import Browser

whole, recording, two = sys.argv[1:]


def check(what, holds):
    if not holds:
        print("not ok:", what)
        sys.exit(1)
    print("ok:", what)


WAIT = "new Promise((done) => setTimeout(done, 300))"
ROWS = "[...document.querySelectorAll('.tree .row .label')].map((row) => row.textContent)"
FOUND = "document.querySelector('.files .found').textContent"


def search(browser, text):
    browser.run(f"(() => {{ const field = document.querySelector('.files input'); field.value = {text!r};"
                " field.dispatchEvent(new Event('input')); })()")
    browser.run(WAIT)


for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
    for page in (whole, recording, two):
        with Browser(width=width, dark=dark) as browser:
            browser.open(page)
            name = f"{os.path.basename(page)}, {width} wide, {'dark' if dark else 'light'}"
            check(f"{name}: no complaint {browser.complaints()}", not browser.complaints())
            check(f"{name}: one request, the page", len(browser.requests()) == 1)
            wide = browser.run("document.documentElement.scrollWidth")
            check(f"{name}: no wider than its window ({wide})", wide <= width)
            if axe := os.environ.get("AXE"):
                with open(axe, encoding="utf-8") as source:
                    browser.run(source.read() + "; 0")
                browser.run("document.querySelectorAll('details').forEach((details) => { details.open = true; }); 0")
                found = browser.run(
                    "axe.run(document, { resultTypes: ['violations'] }).then((result) => result.violations"
                    ".map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => [n.html.slice(0, 200), n.failureSummary])]))")
                check(f"{name}: axe finds nothing serious {[v for v in found if v[0] in ('serious', 'critical')]}",
                      not [v for v in found if v[0] in ("serious", "critical")])

with Browser() as browser:
    browser.open(whole)
    check("no markup of a file's name is in the page",
          browser.run("document.images.length === 0 && document.scripts.length === 2"))
    total = browser.run(FOUND)
    search(browser, "shard-3 entry-7.json")
    check("a search finds what has all words: " + browser.run(FOUND), browser.run(FOUND) == "20 of " + total)
    check("and unfolds it", "entry-7.json" in browser.run(ROWS) and "entry-8.json" not in browser.run(ROWS))
    search(browser, "onerror")
    check("a name like markup is text", "<img src=x onerror=alert(1)>" in browser.run(ROWS))
    search(browser, "script")
    check("and so is one with a slash", "<script>alert(1)<_script>" in browser.run(ROWS))
    search(browser, "no such path anywhere")
    check("nothing is found", browser.run(ROWS) == [] and browser.run(FOUND) == "0 of " + total)
    search(browser, "")
    browser.run("document.querySelector('.toggle.missing').click()")
    check("a filter shows what was not found", browser.run("document.querySelector('.toggle.missing').ariaPressed") == "true"
          and browser.run(FOUND) != total)
    search(browser, "nowhere")
    check("with a search: " + browser.run(FOUND), browser.run(FOUND) == "1 of " + total)
    browser.run("document.querySelector('.toggle.missing').click()")
    search(browser, "")

    rendered = browser.run("document.querySelectorAll('.tree .row').length")
    check(f"only rows in sight are rendered ({rendered})", rendered < 100)
    browser.run("document.querySelector('.tree').focus(); document.querySelector('.tree').dispatchEvent("
                "new KeyboardEvent('keydown', { key: 'Home' }))")
    before = browser.run(ROWS)
    browser.press("ArrowLeft")
    folded = browser.run(ROWS)
    check("the left arrow folds", len(folded) < len(before))
    browser.press("ArrowRight")
    check("the right arrow unfolds", browser.run(ROWS) == before)
    browser.press("ArrowDown")
    browser.press("Enter")
    check("Enter chooses", browser.run("document.querySelector('.tree .row.selected') !== null && "
                                       "document.querySelector('.about h3').textContent.startsWith('/')"))
    active = browser.run("document.getElementById(document.querySelector('.tree').getAttribute('aria-activedescendant')) !== null")
    check("a screen reader hears which row is active", active)
    browser.run("[...document.querySelectorAll('button')].find((button) => button.textContent === 'Fold all').click()")
    check("all is folded", len(browser.run(ROWS)) < 6)
    browser.run("document.querySelector('.treemap .tile').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    check("a click on the map goes there", browser.run("document.querySelector('.treemap button').disabled") is False)

    browser.run("document.querySelectorAll('details.table').forEach((details) => { details.open = true; }); 0")
    browser.run("document.querySelector('.calls .toggle.enosys').click()")
    check("a class of system calls is filtered", browser.run(
        "[...document.querySelectorAll('.calls tbody tr')].filter((row) => !row.hidden).every((row) => row.dataset.class === 'enosys')"))

with Browser(scripts=False) as browser:
    browser.open(whole)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    text = browser.run("document.body.innerText")
    for essential in ("recorded calls hold", "What remains open", "Every call, and why", "By directory"):
        check(f"without scripts: {essential}", essential in text)
