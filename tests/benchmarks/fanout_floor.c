/* The floor under a fan-out: a bare loop of send(2) over N accepted sockets.
 *
 * usage: fanout_floor SOCKETS BYTES
 *
 * Listens on 127.0.0.1, prints its port, accepts SOCKETS connections and prints "ready". Then, for
 * each line "go" on standard input, sends BYTES bytes to every socket and prints the nanoseconds
 * of CPU time of this process that it took. Ends with standard input.
 *
 * The sockets are set up like the gateway's (TCP_NODELAY, non-blocking), so that the kernel does
 * the same work for both. A short or refused send ends the program: the figure would be false.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long cpu_ns(void) {
    struct timespec now;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) fail("clock_gettime");
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: fanout_floor SOCKETS BYTES\n");
        return 2;
    }
    int count = atoi(argv[1]);
    size_t size = (size_t)atoi(argv[2]);
    if (count < 1 || size < 1) return 2;
    int *sockets = calloc((size_t)count, sizeof *sockets);
    char *data = malloc(size);
    if (sockets == NULL || data == NULL) fail("malloc");
    memset(data, 'x', size);

    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (listener < 0) fail("socket");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener, 1024) != 0) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    int on = 1;
    for (int i = 0; i < count; i++) {
        sockets[i] = accept(listener, NULL, NULL);
        if (sockets[i] < 0) fail("accept");
        if (setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("nodelay");
        if (fcntl(sockets[i], F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
    }
    printf("ready\n");
    fflush(stdout);

    char line[16];
    while (fgets(line, sizeof line, stdin) != NULL) {
        long long begun = cpu_ns();
        for (int i = 0; i < count; i++) {
            ssize_t sent = send(sockets[i], data, size, MSG_NOSIGNAL);
            if (sent != (ssize_t)size) fail("send");
        }
        printf("%lld\n", cpu_ns() - begun);
        fflush(stdout);
    }
    return 0;
}
