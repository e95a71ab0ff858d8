"""gunicorn's thread worker, whose threads wait for requests themselves.

gunicorn's own main thread waits for all connections, hands those that have a request to a
thread, and takes them back when it has been answered: two changes of threads for each request,
and a third of what a small one costs.
"""

import errno
import time
from threading import Lock
from typing import Any

from gunicorn.workers.gthread import DEFAULT_WORKER_DATA_TIMEOUT, STOP_KEEPALIVE_LINGER, TConn

from bodega.http.sharing import Share
from bodega.http.waiting import Waiting
from bodega.http.worker import Worker

#: Seconds between two looks of the main thread, while serving and while ending.
_LOOK, _LAST_LOOK = 1.0, 0.05
#: Seconds that a process with fewer connections has to take a new one.
_COURTESY = 0.005


class EpollWorker(Worker):
    """Accepts in its main thread; connections wait together, and each thread takes its next one."""

    #: Where the processes of a server tell each other how many connections they have.
    share: Share | None = None

    def init_process(self) -> None:
        """Have a place for connections to wait in; this process is a worker now."""
        self._waiting = Waiting()
        # Where gunicorn looks whether more may be kept.
        self.keepalived_conns = self._waiting
        self._counting = Lock()
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Let a new connection wait for its first request."""
        if self.share is not None and self.share.is_larger():
            time.sleep(_COURTESY)
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        connection = TConn(self.cfg, sock, address, listener.getsockname())
        self.be_patient(connection)
        self._count(1)
        # As long as gunicorn waits for a first request.
        self._waiting.add(connection, DEFAULT_WORKER_DATA_TIMEOUT + self.cfg.keepalive)

    def run(self) -> None:
        """Serve until told to end, and finish what has begun."""
        try:
            for _ in range(self.cfg.threads):
                self.tpool.submit(self._answer)
            self._accept_until_told()
            self._finish()
        finally:
            # However it ends: nobody waits for threads that wait.
            self._waiting.end()
            self.tpool.shutdown(wait=False)

    def _accept_until_told(self) -> None:
        queue = self.method_queue
        self.poller.register(queue.fileno(), 1, queue.run_callbacks)
        self._count(0)
        looked = 0.0
        while self.alive and self.is_parent_alive():
            self.notify()
            self.set_accept_enabled(self.nr_conns < self.worker_connections)
            self.wait_for_and_dispatch_events(_LOOK)
            if (now := time.monotonic()) - looked >= _LOOK:
                looked = now
                self._give_up()
        self.set_accept_enabled(False)
        if self.share is not None:
            self.share.leave()

    def _finish(self) -> None:
        end = time.monotonic() + self.cfg.graceful_timeout
        linger = time.monotonic() + STOP_KEEPALIVE_LINGER
        while self.nr_conns and time.monotonic() < end:
            self.notify()
            # A client may be sending its next request already.
            self._give_up(max(0.0, linger - time.monotonic()))
            time.sleep(_LAST_LOOK)

    def _give_up(self, within: float | None = None) -> None:
        for connection in self._waiting.given_up(within):
            connection.close()
            self._count(-1)

    def _answer(self) -> None:
        while (connection := self._waiting.take()) is not None:
            try:
                if self.handle(connection):
                    self._waiting.put_back(connection, self.cfg.keepalive)
                    continue
                if connection.sock.fileno() >= 0:
                    connection.close(graceful=True)
            except BaseException:
                # A thread outlives whatever its requests do.
                self.log.exception("A connection is closed.")
                connection.close()
            self._count(-1)

    def _count(self, more: int) -> None:
        with self._counting:
            self.nr_conns += more
            if self.share is not None and self.alive:
                self.share.tell(self.nr_conns)
        if more < 0 and not self._accepting:
            # The main thread may accept again.
            self.method_queue.defer(lambda: None)
