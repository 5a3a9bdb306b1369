"""The interactive page in a real browser: opens, goes into modules and back, searches, steps backward, loads nothing."""

from __future__ import annotations

import json
import shutil

import pytest

import tinytorch as tt
from tests.viz.test_html import NAMES, deep_graph
from tinytorch import nn, viz
from tinytorch.viz import svg

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no browser here: apt install chromium chromium-driver"),
]


class Page:
    """A page in the browser, and what tests ask of it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path):
        self.driver.get(path.as_uri())
        return self

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def point(self, selector):
        ActionChains(self.driver).move_to_element(self.one(selector)).perform()

    def click(self, selector):
        ActionChains(self.driver).move_to_element(self.one(selector)).click().perform()

    def ids(self, selector):
        """The ids of the boxes that match, in order."""
        return [box.get_attribute("data-id") for box in self.all(f"#stage .node{selector}")]

    def named(self, graph, name):
        """The selector of the box of a module of this name."""
        return f'#stage .node[data-id="{graph.find_scopes(name)[0]}"]'

    @property
    def where(self):
        return self.one("#path").text.replace("\n", " ")

    @property
    def details(self):
        return self.one("#details").text

    @property
    def steps(self):
        return self.one("#stepper").text

    @property
    def look(self):
        """The part of the picture that is seen: x, y, width, height."""
        return [float(part) for part in self.one("#stage svg").get_dom_attribute("viewBox").split()]


@pytest.fixture(scope="module")
def driver():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--window-size=1300,900", "--disable-background-networking", "--no-first-run"):  # fmt: skip
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(driver):
    """Whatever a test does, the console stays empty, and nothing is asked for but the page itself."""
    driver.get("about:blank")
    driver.get_log("browser"), driver.get_log("performance")
    yield Page(driver)
    assert driver.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert asked and all((url.startswith("file:") and url.endswith(".html")) or url == "about:srcdoc" for url in asked)


@pytest.fixture(scope="module")
def deep():
    return deep_graph()


@pytest.fixture(scope="module")
def deep_page(deep, tmp_path_factory):
    return deep.save(tmp_path_factory.mktemp("page") / "deep.html")


def test_modules_open_and_close(page, deep, deep_page):
    page.open(deep_page)
    assert page.where == "overview" and "ops" in page.details and not page.one("#stepper").is_displayed()
    page.click(page.named(deep, "outer"))
    assert page.where == "overview › outer: Sequential"
    page.click(page.named(deep, "outer.0"))
    assert page.where.endswith("outer.0: Sequential") and len(page.ids(":not(.outside)")) == 3
    page.press(Keys.ESCAPE)
    assert page.where == "overview › outer: Sequential" and page.ids(".self") == deep.find_scopes("outer.0")
    page.click("#path button")
    assert page.where == "overview"
    page.press("a")
    assert page.where == "overview › everything open" and len(page.ids("")) > 8
    page.click("#stage .cluster.opens > text")
    assert page.where == "overview › outer: Sequential"
    page.click("#stage .node.outside")  # leads to where that is not outside
    assert page.where == "overview"


def test_pointing_lights_up_what_a_box_depends_on(page, deep, deep_page):
    page.open(deep_page)
    page.point(page.named(deep, "outer"))
    (x,) = (node.id for node in deep.nodes.values() if node.kind == "input")
    assert page.ids(".self") == deep.find_scopes("outer") and page.ids(".up") == [x]
    below = page.ids(".down")
    assert deep.find_scopes("head")[0] in below and deep.results[0] in below and x not in below
    assert "outer: Sequential" in page.details and "made of 1" in page.details
    page.point("#query")
    assert page.ids(".self") == [] and not page.all("#stage svg.lit")


def test_search_goes_to_the_place(page, deep, deep_page):
    page.open(deep_page)
    page.press("/")
    page.press("outer.0 linear op")
    found = [item.text for item in page.all("#found li")]
    assert found[0].startswith("linear, outer.0.0") and "op in outer.0: Sequential" in found[0]
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    assert page.where.endswith("outer.0: Sequential") and "linear, outer.0.2" in page.details
    page.press("/", "head.0.weight", Keys.ENTER)  # a line in the box of its user
    assert page.where == "overview › head: Sequential" and "linear, head.0" in page.details
    page.press("/", "nothing like it")
    assert page.one("#found").text == "nothing found"
    page.press(Keys.ENTER, Keys.ESCAPE)
    assert page.where == "overview › head: Sequential"


def test_keys_walk_along_edges(page, deep, deep_page):
    page.open(deep_page)
    page.press(Keys.ARROW_DOWN)
    first = page.ids(".self")
    page.press(Keys.ARROW_DOWN)
    assert page.ids(".self") == deep.find_scopes("outer")
    page.press(Keys.ARROW_UP)
    assert page.ids(".self") == first
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    assert page.where == "overview › outer: Sequential"
    page.press(Keys.BACKSPACE)
    assert page.where == "overview"


def test_pan_zoom_fit_and_theme(page, deep_page):
    page.open(deep_page)
    start = page.look
    page.press("+")
    assert page.look[2] == pytest.approx(start[2] / 1.3, rel=1e-3)
    page.press("-", "f")
    fitted = page.look
    ActionChains(page.driver).move_to_element_with_offset(
        page.one("#stage"), -380, -200
    ).click_and_hold().move_by_offset(60, 40).release().perform()
    moved = page.look
    assert moved[0] < fitted[0] and moved[1] < fitted[1] and moved[2:] == fitted[2:]
    ActionChains(page.driver).scroll_by_amount(0, -300).perform()
    page.press("f")
    assert page.look == pytest.approx(fitted, rel=1e-6)
    theme = page.one("html").get_attribute("data-theme")
    before = page.one("body").value_of_css_property("background-color")
    page.press("t")
    assert {theme, page.one("html").get_attribute("data-theme")} == {"light", "dark"}
    assert page.one("body").value_of_css_property("background-color") != before


def test_backward_step_by_step(page, tmp_path):
    a = tt.tensor(2.0, requires_grad=True)
    b = tt.tensor(-3.0, requires_grad=True)
    with viz.watch() as watched:
        c = a * b
        d = c + a
        e = d * a
        e.backward()
    page.open(watched.graph().save(tmp_path / "expression.html"))
    page.press("b")
    assert "mul, e" in page.steps and "step 1 of 3" in page.steps and "g = ∂L/∂y scalar: 1.0" in page.steps
    assert (
        "y = mul(d, a)" in page.steps
        and "g ⊙ a" in page.steps
        and "adds 2" in page.steps
        and "1 of 3 gradients have met, sum so far: -4" in page.steps
    )
    assert "return grad * b" in page.steps  # the code of the op itself
    page.press("n")
    assert "add, d" in page.steps and "2 of 3 gradients have met, sum so far: (-4) + 2 = -2" in page.steps
    page.press("n")
    assert "3 of 3 gradients have met, the sum is complete: (-4) + 2 + (-6) = -8" in page.steps and a.grad == -8
    assert len(page.ids(".done")) == 2 and len(page.ids(".now")) == 1 and len(page.ids(".gets")) == 2
    assert page.all("#stage .edge.flow")
    page.press("p")
    assert "step 2 of 3" in page.steps and len(page.ids(".done")) == 1
    page.press(Keys.ESCAPE)
    assert not page.one("#stepper").is_displayed() and page.ids(".now") == []


def test_stepping_goes_into_modules(page, deep, deep_page):
    page.open(deep_page)
    page.press("b")
    seen = [page.where]
    last = int(page.steps.split(" of ")[1].split()[0])
    for _ in range(last - 1):
        page.press("n")
        assert len(page.ids(".now")) == 1
        seen.append(page.where)
    assert f"step {last} of {last}" in page.steps and set(seen) == {
        "overview"
    }  # the modules that hold the ops light up
    page.click(page.named(deep, "outer"))
    assert page.ids(".now") == deep.find_scopes("outer.0")
    page.click("#into")
    assert page.where.endswith("outer.0: Sequential") and page.ids(".now")[0] in deep.nodes and not page.all("#into")
    page.press("?")
    assert "Keys" in page.details


def test_in_a_notebook_it_works_inside_its_frame(page, deep, tmp_path):
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><title>notebook</title>{deep._repr_html_()}", encoding="utf-8")
    page.open(notebook)
    page.driver.switch_to.frame(page.one("iframe"))
    page.click(page.named(deep, "outer"))
    assert page.where == "overview › outer: Sequential"
    page.driver.switch_to.default_content()


def test_hostile_names_are_only_text(page, tmp_path, monkeypatch):
    names = [*NAMES.values(), "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "__proto__"]
    y = tt.ones(2, requires_grad=True)
    model = nn.Module()
    for name in names:
        model._parameters[name] = nn.Parameter(tt.ones(2))
        kind = type("Odd", (nn.Module,), {"forward": lambda self, x: (x * 2).relu() + 1})
        kind.__name__ = name.replace("\0", "")
        y = kind()(y * model._parameters[name])
    graph = viz.graph(y.sum(), model, names={"constructor": y}).styled(parameters="boxes")
    for engine in (svg.engine, lambda: None):
        monkeypatch.setattr(svg, "engine", engine)
        page.open(graph.save(tmp_path / "hostile.html"))
        page.press("/", "onerror")
        assert "<img src=x onerror=alert(1)>" in page.one("#found").text
        page.press(Keys.ENTER, "b", "n", "n")
        assert "step 3" in page.steps and not page.all("img") and len(page.all("script")) == 2
