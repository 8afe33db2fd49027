"""The page for a ward computer, attacked: no code from visitors, nothing without the token, nothing beside the page."""

import asyncio
import contextlib
import json
import re
import urllib.error
import urllib.request
import uuid
from http.client import HTTPConnection
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from servers import TOKEN, serve
from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application
from tornado.websocket import websocket_connect

from lib.commands.explore import explore
from lib.explore import kernels, ward
from lib.explore.gate import MAX_MESSAGE_BYTES

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    outputs = tmp_path_factory.mktemp("outputs")
    (outputs / "demo" / "mine").mkdir(parents=True)
    (outputs / "demo" / "mine" / "index.html").write_text("<p>A saved report</p>")
    (outputs / "demo" / ".mine.new").mkdir()
    (outputs / "demo" / ".mine.new" / "half.html").write_text("half")
    (outputs.parent / "secret.txt").write_text("not in the folder of reports")
    with serve("explore", outputs) as running:
        yield running


@pytest.fixture(scope="module")
def page(server):
    """The page as a visitor gets it, and with it a kernel."""
    status, _, text = server.get(f"/?token={TOKEN}")
    assert status == 200
    return text


@pytest.fixture(scope="module")
def kernel(page):
    return re.search(r'"kernelId": "([0-9a-f-]{36})"', page)[1]


@pytest.mark.parametrize("path", ["/", "/reports/demo/mine/index.html", f"/api/kernels/{uuid.UUID(int=1)}"])
def test_without_the_token_there_is_nothing(server, path):
    status, address, text = server.get(path, token=False)
    assert status in (401, 403) or "/login?" in address
    assert "A saved report" not in text
    assert "Explore" not in text


def test_a_wrong_token_opens_nothing(server):
    status, address, _ = server.get("/?token=guessed", token=False)
    assert status in (401, 403) or "/login?" in address


def test_the_page_shows_no_code_and_names_no_other_server(page):
    assert "from lib import" not in page
    assert "explore.start" not in page
    linked = re.findall(r'(?:src|href)="((?:https?:)?//[^"]+)"|from "(https?://[^"]+)"', page)
    assert linked == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/contents", "/voila/api/contents/", "/api/kernels", "/api/sessions", "/api/terminals", "/voila/tree",
        "/voila/files/study.yml", "/voila/files/explore.ipynb", "/files/explore.ipynb", "/notebooks/explore.ipynb",
        "/voila/render/efficacy.ipynb", "/reports/../secret.txt", "/reports/%2e%2e/secret.txt", "/reports/..%2fsecret.txt",
        "/reports//etc/passwd", "/reports/demo/.mine.new/half.html", "/reports/demo/%2emine.new/half.html",
        "/voila/static/../../../../../../../../../etc/passwd",
    ],
)  # fmt: skip
def test_a_visitor_reaches_nothing_beside_the_page(server, page, path):
    status, _, text = server.get(path)
    assert status in (400, 403, 404, 405), text[:300]
    assert "not in the folder" not in text
    assert "half" not in text.split()
    assert "root:" not in text


def test_a_visitor_opens_a_saved_report(server, page):
    assert server.get("/reports/demo/mine/index.html")[2] == "<p>A saved report</p>"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("demo/shared/index.html", 200), ("demo/shared/figures/a.svg", 200), ("demo/default/index.html", 404),
        ("demo/partly/index.html", 404), ("demo/queries.csv", 404), ("lab/cohort.ipynb", 404),
    ],
)  # fmt: skip
def test_whoever_may_see_the_shared_view_alone_reads_shared_reports_alone(tmp_path, path, status):
    """A report for an internal audience names patients; so do the data queries and the notebooks that lie beside it."""
    made = {"shared": ("share", "share"), "default": ("internal", "internal"), "partly": ("share", "internal")}
    for name, audiences in made.items():
        (tmp_path / "demo" / name / "figures").mkdir(parents=True)
        given = {report: {"audience": audience} for report, audience in zip(("cohort", "safety"), audiences, strict=True)}
        (tmp_path / "demo" / name / "run.json").write_text(json.dumps({"parameters": given}))
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("")
    line, headers = RequestStartLine("GET", f"/reports/{path}", "HTTP/1.1"), HTTPHeaders({"Host": "localhost"})
    asked = HTTPServerRequest(start_line=line, headers=headers, connection=Mock())
    options = {"path": str(tmp_path), "shared_only": True}
    handler = ward.Reports(Application(), asked, **options)
    handler.path = path  # set by tornado when it answers
    if status == 200:
        assert handler.validate_absolute_path(str(tmp_path), str(file)) == str(file)
    else:
        with pytest.raises(ward.HTTPError, match="404"):
            handler.validate_absolute_path(str(tmp_path), str(file))
    handler.shared_only = False
    assert handler.validate_absolute_path(str(tmp_path), str(file)) == str(file)


def message(kind: str, content: dict, channel: str = "shell") -> str:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "visitor", "version": "5.3"}
    return json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": channel})


def talk(server, kernel: str, messages: list[str]) -> list[dict]:
    """Send messages over the page's own socket; return all answers until the kernel has told about itself."""

    async def spoken() -> list[dict]:
        address = f"{server.address.replace('http', 'ws')}/api/kernels/{kernel}/channels?session_id=visitor"
        socket = await websocket_connect(HTTPRequest(address, headers={"Cookie": server.cookie}, request_timeout=20))
        answers = []
        for sent in [*messages, message("kernel_info_request", {})]:
            await socket.write_message(sent)
        while not any(answer["header"]["msg_type"] == "kernel_info_reply" for answer in answers):
            said = await asyncio.wait_for(socket.read_message(), 20)
            if said is None:
                socket.close()
                return [*answers, {"header": {"msg_type": "closed"}}]
            if isinstance(said, str):
                answers.append(json.loads(said))
        socket.close()
        while await asyncio.wait_for(socket.read_message(), 20) is not None:
            pass
        return answers

    return asyncio.run(spoken())


def test_a_visitor_cannot_run_code(server, kernel, tmp_path):
    """Every message that makes a kernel run, complete, inspect or recall code is dropped; those of the form are not."""
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w').write('ran')"
    execute = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {"x": code},
        "allow_stdin": True,
    }
    attacks = [
        message("execute_request", execute),
        message("execute_request", execute, "control"),
        message("execute_request", execute | {"silent": True}, "stdin"),
        message("complete_request", {"code": "import os; os.", "cursor_pos": 14}),
        message("inspect_request", {"code": "open", "cursor_pos": 4, "detail_level": 1}),
        message("history_request", {"hist_access_type": "tail", "n": 10, "output": True, "raw": True}),
        message("is_complete_request", {"code": code}),
        message("input_reply", {"value": code}, "stdin"),
        message("debug_request", {"type": "request", "command": "evaluate", "seq": 1, "arguments": {"expression": code}}, "control"),
        message("create_subshell_request", {}, "control"),
    ]  # fmt: skip
    answers = talk(server, kernel, attacks)
    kinds = {answer["header"]["msg_type"] for answer in answers}
    assert "kernel_info_reply" in kinds, "the kernel lives and answers what is allowed"
    assert kinds <= {"kernel_info_reply", "status"}
    assert not mark.exists()


def test_a_visitor_cannot_make_a_widget_read_a_file(server, kernel):
    """Opening a widget from the browser is allowed by the protocol; it must not read what a path names."""
    state = {"_model_module": "anywidget", "_model_name": "AnyModel", "_model_module_version": "*", "_view_module": "anywidget",
             "_view_name": "AnyView", "_view_module_version": "*", "_esm": "/etc/passwd", "_css": "/etc/passwd"}  # fmt: skip
    opened = json.loads(
        message("comm_open", {"comm_id": "theirs", "target_name": "jupyter.widget", "data": {"state": state}})
    )
    opened["metadata"] = {"version": "2.1.0"}
    answers = talk(
        server,
        kernel,
        [json.dumps(opened), message("comm_msg", {"comm_id": "theirs", "data": {"method": "request_state"}})],
    )
    assert "root:" not in json.dumps(answers)


def test_a_huge_message_ends_the_connection(server, kernel):
    huge = message("comm_msg", {"comm_id": "x", "data": "x" * (MAX_MESSAGE_BYTES + 1)})
    assert talk(server, kernel, [huge])[-1]["header"]["msg_type"] == "closed"


@pytest.mark.parametrize("token", [True, False])
def test_the_socket_needs_the_token(server, kernel, token):
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    connection = HTTPConnection(server.address.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        connection.request(
            "GET", f"/api/kernels/{kernel}/channels", headers=upgrade | ({"Cookie": server.cookie} if token else {})
        )
        assert connection.getresponse().status == (101 if token else 403)


def test_kernels_are_ended_when_idle_and_limited(monkeypatch):
    from lib.explore.serve import IDLE_SECONDS, _settings  # noqa: PLC0415

    settings = _settings(None, 1, "/", "", "", visitors=12)["Kernels"]
    assert settings["cull_idle_timeout"] == IDLE_SECONDS > 0
    assert settings["cull_connected"]
    found = kernels.Kernels(most=settings["most"])
    monkeypatch.setattr(found, "list_kernel_ids", lambda: ["a"] * 12)
    monkeypatch.setattr(kernels, "PATIENCE_SECONDS", 0)
    asks = SimpleNamespace(current_user=SimpleNamespace(username="a"), request=SimpleNamespace(remote_ip="::1"))
    monkeypatch.setattr(kernels.CallContext, "get", lambda name: asks)
    with pytest.raises(kernels.Full, match="All places are taken"):
        asyncio.run(found.start_kernel())


@pytest.mark.parametrize(("host", "status"), [("evil.example", 403), ("10.0.0.1", 403), ("localhost", 200), ("127.0.0.1", 200)])
def test_the_page_is_given_under_its_own_names_alone(server, host, status):
    """Another name that leads here (DNS rebinding) would make this page one of another origin's own."""
    asked = urllib.request.Request(f"{server.address}/login", headers={"Host": host})
    assert answer(asked)[0] == status


def test_a_page_of_another_origin_cannot_use_the_socket(server, kernel):
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    connection = HTTPConnection(server.address.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        headers |= {"Cookie": server.cookie, "Origin": "http://evil.example"}
        connection.request("GET", f"/api/kernels/{kernel}/channels", headers=headers)
        assert connection.getresponse().status == 403


def answer(asked) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(asked, timeout=30) as said:
            return said.status, said.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_large_request_is_refused_unread(server):
    connection = HTTPConnection(server.address.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/login")
        connection.putheader("Content-Length", str(50 * 1024**2))
        connection.endheaders()
        with contextlib.suppress(ConnectionError):
            assert connection.getresponse().status in (400, 413)
            return
    pytest.fail("the body of a large request was waited for")


class Visitor:
    """What an identity provider asks of a request."""

    def __init__(self, token: str, address: str = "10.0.0.7"):
        self.token, self.given = TOKEN, token
        self.request, self.log = Mock(remote_ip=address, headers={}), Mock()

    def get_argument(self, name, default=""):
        return self.given if name in ("token", "password") else default


def test_guesses_at_the_token_slow_down_and_nobody_else(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(ward.time, "monotonic", lambda: now[0])
    door, tried = ward.Visitors(token=TOKEN), 0
    monkeypatch.setattr(door, "get_user_cookie", lambda handler: "known")
    for second in range(600):
        now[0] = 1000.0 + second
        with contextlib.suppress(ward.HTTPError):
            for guess in range(50):
                assert asyncio.run(door.get_user_token(Visitor(f"{second}-{guess}"))) is None
                tried += 1
    assert 5 < tried < 30, "of 30,000 guesses in ten minutes so many were looked at"
    with pytest.raises(ward.HTTPError, match="please wait"):
        asyncio.run(door.get_user_token(Visitor(TOKEN)))
    with pytest.raises(ward.HTTPError, match="please wait"):
        door.process_login_form(Visitor(TOKEN))
    assert asyncio.run(door.get_user_token(Visitor(TOKEN, "10.0.0.8"))) == "known"
    now[0] += 61
    assert asyncio.run(door.get_user_token(Visitor(TOKEN))) == "known"


def test_the_typed_token_counts_as_a_guess_and_no_password_is_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    door = ward.Visitors(token=TOKEN)
    visitor = Visitor(TOKEN)
    visitor.get_argument = lambda name, default="": TOKEN if name == "password" else "mine-now"
    visitor.settings = {"config_dir": str(tmp_path)}
    assert door.process_login_form(visitor) is not None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ward.HTTPError, match="Too many wrong tokens"):
        for guess in range(10):
            door.process_login_form(Visitor(f"guess {guess}"))


def test_a_socket_that_is_never_read_is_closed(monkeypatch):
    """What was sent and not read is counted; what has been read counts no longer."""
    sent = []

    def keep(self, message, binary=False):
        sent.append(asyncio.get_running_loop().create_future())
        return sent[-1]

    async def read_late():
        socket = object.__new__(ward.Socket)
        socket.ws_connection = Mock()
        piece = b"x" * (ward.MOST_UNREAD_BYTES // 4)
        for _ in range(4):
            socket.write_message(piece, binary=True)
        assert not socket.ws_connection.stream.close.called
        sent[0].set_result(None)
        await asyncio.sleep(0)
        socket.write_message(piece, binary=True)
        assert not socket.ws_connection.stream.close.called, "the first one was read"
        assert socket.write_message(b"x", binary=True) is None
        assert socket.ws_connection.stream.close.called
        assert len(sent) == 5

    monkeypatch.setattr(ward.VoilaKernelWebsocketHandler, "write_message", keep)
    monkeypatch.setattr(ward.Socket, "log", Mock())
    asyncio.run(read_late())


def test_a_short_token_is_refused():
    done = CliRunner().invoke(explore, ["--token", "1234"])
    assert (done.exit_code, "at least 16 signs" in done.output) == (2, True)
