<?php
// Publishes a feed: php publish.php URL < feed.xml

/** Publishes the content, unless it is known already. An answer that is lost is asked for again. */
function publish(string $url, string $content): string
{
    $api = getenv('API') ?: 'http://127.0.0.1:7071';
    $target = "$api/v1/updates?" . http_build_query(['url' => $url, 'ifChanged' => 'true']);
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => [
            'Authorization: Bearer ' . getenv('TOKEN'),
            'Content-Type: application/octet-stream',
            'Idempotency-Key: ' . bin2hex(random_bytes(16)), // Published once, however often it is sent.
        ],
        'content' => $content,
        'ignore_errors' => true, // What is answered is wanted in any case.
        'timeout' => 60,
    ]]);
    while (true) {
        $stream = @fopen($target, 'r', false, $context); // None while feedsync is being restarted.
        $head = $stream ? implode("\n", stream_get_meta_data($stream)['wrapper_data']) : '';
        $answer = $stream ? stream_get_contents($stream) : '';
        $status = (int) substr($head, 9, 3);
        if (in_array($status, [200, 201, 202]) && json_decode($answer)) {
            return $answer; // 202 is a success, too. An answer that is cut off is none.
        }
        if (!in_array($status, [0, 200, 201, 202, 429, 503])) {
            throw new RuntimeException($answer);
        }
        sleep(preg_match('/^Retry-After: (\d+)/mi', $head, $match) ? (int) $match[1] : 1);
    }
}

echo publish($argv[1], stream_get_contents(STDIN)), "\n";
