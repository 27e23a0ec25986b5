"""Attack strings in whatever a stranger can put on a page: names of viewers, addresses, searches, files. They are text, and stay text.

The pages are opened with their Content Security Policy switched off, so that escaping alone must hold; what the policy stops is asked apart.
"""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

import pytest
from walks import SECTIONS, settled

from recommender.policy import policy
from recommender.serve.feedback import Feedback
from recommender.serve.viewers import Viewer
from recommender.types import Profile
from recommender.ui.state import EVERYWHERE

pytestmark = pytest.mark.browser

ATTACKS = (
    "<img src=x onerror=window.ran=1>",
    '"><svg onload=window.ran=1>',
    "'-window.ran=1-'",
    "</style><script>window.ran=1</script>",
    "[here](javascript:window.ran=1)",
    "{{constructor('window.ran=1')()}}",
    "$\\href{javascript:window.ran=1}{x}$",
    "<a href=javascript:window.ran=1>M*A*S*H",
)
PLANTED = "script:not([src]), img[src='x'], svg[onload], [onerror], a[href^='javascript' i], form:not(.vega-bindings), iframe, object, embed"
OF_STREAMLIT = "window.prerenderReady = false"


def harmless(page) -> None:
    """Nothing ran, and nothing stands in the page that could."""
    planted = page.locator(PLANTED).evaluate_all("found => found.map(e => e.outerHTML)")
    assert [html for html in planted if OF_STREAMLIT not in html] == []
    assert page.evaluate("window.ran") is None
    assert page.asked == []


@pytest.fixture
def unguarded(browser):
    """A page without its policy; page.asked collects what it asks the person by a box of the browser."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.asked = []
    page.on("dialog", lambda box: (page.asked.append(box.message), box.dismiss()))
    yield page
    context.close()


@pytest.fixture
def strangers(away_from_data):
    """Viewers whose names, lines and genres are attacks."""
    store = Feedback.open(away_from_data)
    owl = {"shape": "owl", "hue": 8}
    made = [Viewer(f"me-attack-{n}", text[:40], text, owl, Profile(genres=(text[:40],)), None) for n, text in enumerate(ATTACKS)]
    for viewer in made:
        store.add_viewer(viewer)
    yield made
    for viewer in made:
        store.forget(viewer.id)
    store.close()


def test_names_of_viewers_are_only_names(unguarded, app_url, strangers):
    page = unguarded
    page.goto(app_url)
    page.locator(".mq-person", has_text="M*A*S*H").wait_for()
    assert {viewer.name for viewer in strangers} <= set(page.locator(".mq-person b").all_inner_texts())
    harmless(page)
    for n, name in enumerate(("", *SECTIONS)):
        viewer = strangers[n % len(strangers)]
        page.goto(f"{app_url}/{name}?viewer={viewer.id}")
        page.locator(".mq-me b", has_text=viewer.name).wait_for(state="attached")
        settled(page)
        assert page.locator(".mq-me b").inner_text() == viewer.name
        harmless(page)


@pytest.mark.parametrize("attack", ATTACKS[:2])
def test_addresses_are_only_addresses(unguarded, app_url, attack):
    page = unguarded
    for at in ("", "compare"):
        asked = {name: attack for name in EVERYWHERE if name != "viewer"} | {"film": attack, "see": attack, "viewer": "vera"}
        page.goto(f"{app_url}/{at}?" + "&".join(f"{name}={quote(value)}" for name, value in asked.items()))
        page.locator(".mq-me").wait_for(state="attached")
        settled(page)
        harmless(page)
    page.goto(f"{app_url}/?viewer={quote(attack)}")
    page.locator(".mq-person").first.wait_for()
    harmless(page)


def test_a_search_is_only_a_search(unguarded, app_url):
    page = unguarded
    page.goto(f"{app_url}/?viewer=vera")
    page.locator(".mq-card .mq-art").first.wait_for()
    for attack in ATTACKS[:3]:
        page.get_by_role("searchbox").fill(attack)
        page.locator(".mq-found, .mq-empty").filter(has_text=attack[:20]).first.wait_for()
        harmless(page)


def test_titles_from_a_file_are_only_titles(unguarded, app_url):
    page, text = unguarded, io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["Date", "Name", "Year", "Letterboxd URI", "Rating"])
    rows.writerows(["2024-01-01", attack, 1999, "https://boxd.it/1", 4] for attack in ATTACKS)
    page.goto(f"{app_url}/taste?viewer=vera&taste=your-data")
    file = {"name": f"{ATTACKS[0]}.csv", "mimeType": "text/csv", "buffer": text.getvalue().encode()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("M*A*S*H").first.wait_for(state="attached")
    settled(page)
    harmless(page)


def test_the_policy_stops_what_escaping_would_let_through(page, app_url):
    page.goto(f"{app_url}/?viewer=vera")
    page.locator(".mq-card .mq-art").first.wait_for()
    assert page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content") == policy()
    tried = """async () => {
        const stopped = [];
        document.addEventListener("securitypolicyviolation", (e) => stopped.push(e.effectiveDirective));
        const place = document.body.appendChild(document.createElement("div"));
        place.innerHTML = '<img src=x onerror="window.ran=1"><img src="https://example.org/x.png"><iframe src="https://example.org"></iframe>';
        place.appendChild(document.createElement("script")).textContent = "window.ran=2";
        await fetch("https://example.org").catch(() => 0);
        await new Promise((done) => setTimeout(done, 500));
        return [window.ran ?? null, [...new Set(stopped)].sort()];
    }"""
    ran, stopped = page.evaluate(tried)
    assert ran is None
    assert stopped == ["connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem"]


def test_a_policy_lets_run_by_hash_what_stands_in_the_page():
    # printf 'alert(1)' | openssl dgst -sha256 -binary | base64
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in policy("<p></p><script>alert(1)</script><script src='x.js'></script>")
    assert "unsafe-inline" not in policy().split("style-src")[0]
    assert "unsafe-eval" not in policy()
