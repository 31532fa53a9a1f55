<?php
// Receives what the other servers publish, and loses nothing: php consume.php NAME

/** Returns the status and the lines of the answer. Waits while feedsync is away or busy. */
function call(string $method, string $path, array $value = []): array
{
    $api = (getenv('API') ?: 'http://127.0.0.1:7071') . '/v1/consumers/' . $_SERVER['argv'][1];
    $header = ['Authorization: Bearer ' . getenv('TOKEN'), 'Content-Type: application/json'];
    $content = $value ? json_encode($value) : '';
    $http = compact('method', 'header', 'content') + ['ignore_errors' => true, 'timeout' => 60];
    while (true) {
        $stream = @fopen($api . $path, 'r', false, stream_context_create(['http' => $http]));
        $head = $stream ? implode("\n", stream_get_meta_data($stream)['wrapper_data']) : '';
        $answer = $stream ? stream_get_contents($stream) : '';
        $status = (int) substr($head, 9, 3); // 0: it is being restarted.
        if (in_array($status, [200, 201, 404, 410])) { // A line that is cut off comes again.
            return [$status, array_map('json_decode', explode("\n", $answer, -1))];
        }
        if (!in_array($status, [0, 429, 503])) { // 409: another process reads for this consumer.
            throw new RuntimeException($answer);
        }
        sleep(preg_match('/^Retry-After: (\d+)/mi', $head, $match) ? (int) $match[1] : 1);
    }
}

while (true) {
    [$status, $lines] = call('GET', '/updates?wait=25s');
    if ($status === 404) call('PUT', '', ['from' => 'newest']); // It is new, or nobody read for long.
    foreach ($lines as $line) { // Put your storage here. After a crash, some updates come once more.
        if (isset($line->gap)) { // These updates are lost to this server.
            fwrite(STDERR, json_encode($line) . "\n");
        } elseif (!$line->update->superseded) { // Otherwise a newer one of this feed is known.
            echo "{$line->update->stream} {$line->update->seq} {$line->update->url}\n";
        }
    }
    if ($lines) call('POST', '/ack', ['cursor' => end($lines)->cursor]); // 410: they come again.
}
