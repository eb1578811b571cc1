"""What the client and the server of Remora share: framing, messages, login and names. No I/O."""

from remora_protocol._channel_binding import tls_server_end_point
from remora_protocol._connection import Connection
from remora_protocol._errors import (
    ERROR_IDS,
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    RequestFailed,
)
from remora_protocol._framing import (
    AFTER_LOGIN_LIMIT,
    BEFORE_LOGIN_LIMIT,
    HEADER_LIMIT,
    FrameDecoder,
    encode_frame,
)
from remora_protocol._limits import REACHES_MAIN_AND_NEW_THREADS, REACHES_NEW_THREADS
from remora_protocol._login import (
    PROTOCOL_VERSIONS,
    Hello,
    authenticate_arguments,
    authenticate_body,
    choose_mechanism,
    hello_arguments,
    hello_body,
    negotiate,
    read_authenticate_arguments,
    read_authenticate_body,
    read_hello_body,
)
from remora_protocol._messages import (
    Event,
    MalformedRequest,
    Message,
    Request,
    Response,
    decode_message,
    encode_message,
)
from remora_protocol._process import ProcessInfo, read_processes
from remora_protocol._qualifier import (
    DEFAULT_PORT,
    Qualifier,
    QualifierError,
    escape_secret,
    parse_qualifier,
)
from remora_protocol._registry import is_private_folder, pid_of_socket, registry_folders, socket_path
from remora_protocol._scram import (
    MECHANISM,
    MECHANISM_PLUS,
    OBSERVER,
    USER,
    ScramClient,
    ScramError,
    ScramServer,
    ScramState,
    Verifier,
)
from remora_protocol._sourcematch import match_by_name, near_matches, sha256_text, split_source
from remora_protocol._version import __version__

__all__ = [
    "AFTER_LOGIN_LIMIT",
    "BEFORE_LOGIN_LIMIT",
    "DEFAULT_PORT",
    "ERROR_IDS",
    "HEADER_LIMIT",
    "MECHANISM",
    "MECHANISM_PLUS",
    "OBSERVER",
    "PROTOCOL_VERSIONS",
    "REACHES_MAIN_AND_NEW_THREADS",
    "REACHES_NEW_THREADS",
    "USER",
    "Connection",
    "Event",
    "FrameDecoder",
    "Hello",
    "LocalProtocolError",
    "MalformedRequest",
    "Message",
    "ProcessInfo",
    "ProtocolError",
    "Qualifier",
    "QualifierError",
    "RemoteProtocolError",
    "Request",
    "RequestFailed",
    "Response",
    "ScramClient",
    "ScramError",
    "ScramServer",
    "ScramState",
    "Verifier",
    "__version__",
    "authenticate_arguments",
    "authenticate_body",
    "choose_mechanism",
    "decode_message",
    "encode_frame",
    "encode_message",
    "escape_secret",
    "hello_arguments",
    "hello_body",
    "is_private_folder",
    "match_by_name",
    "near_matches",
    "negotiate",
    "parse_qualifier",
    "pid_of_socket",
    "read_authenticate_arguments",
    "read_authenticate_body",
    "read_hello_body",
    "read_processes",
    "registry_folders",
    "sha256_text",
    "socket_path",
    "split_source",
    "tls_server_end_point",
]
