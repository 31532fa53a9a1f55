<?php
// Fetches the feeds of a list whose turn it is. Run it each minute: php turns.php FILE [15m]
function post(string $path, string $content, string $type = 'application/json'): mixed
{
    $header = ['Authorization: Bearer ' . getenv('TOKEN'), "Content-Type: $type"];
    $http = ['method' => 'POST', 'timeout' => 60] + compact('header', 'content');
    $url = (getenv('API') ?: 'http://127.0.0.1:7071') . "/v1$path";
    $answer = file_get_contents($url, false, stream_context_create(['http' => $http]));
    return json_decode($answer ?: exit(1)); // What fails is due again in the next minutes.
}

/** Returns what came of it, and the content if it may have changed. */
function fetch(string $url, object $headers): array
{
    $header = ['User-Agent: example/1.0 (+https://reader.example/about)'];
    foreach ($headers as $name => $value) $header[] = "$name: $value";
    $http = compact('header') + ['timeout' => 30, 'ignore_errors' => true, 'auto_decode' => false];
    $stream = @fopen($url, 'r', false, stream_context_create(['http' => $http]));
    if (!$stream) return [['error' => error_get_last()['message']], null];
    $body = stream_get_contents($stream, 10_000_000);
    foreach (stream_get_meta_data($stream)['wrapper_data'] as $line) { // Redirects come first.
        [$name, $value] = explode(':', $line, 2) + [1 => ''];
        if (str_starts_with($line, 'HTTP/')) [$status, $headers] = [(int) substr($line, 9, 3), []];
        else $headers[strtolower($name)] = trim($value);
    }
    $length = (int) ($headers['content-length'] ?? strlen($body)); // PHP itself accepts what is cut off.
    if (!isset($headers['transfer-encoding'])) $isWhole = strlen($body) === $length;
    elseif ($isWhole = str_ends_with($body, "0\r\n\r\n"))
        $body = file_get_contents('php://filter/dechunk/resource=data:;base64,' . base64_encode($body));
    if ($status !== 200) $body = null;
    elseif (!$isWhole || !feof($stream) || !$body) return [['error' => 'Empty, cut off or too large'], null];
    return [['status' => $status, 'headers' => (object) $headers], $body];
}

$ask = ['urls' => file($argv[1], FILE_IGNORE_NEW_LINES), 'every' => $argv[2] ?? '15m', 'limit' => 50];
foreach (array_filter(post('/due', json_encode($ask)), fn ($turn) => $turn->due) as $turn) {
    [$outcome, $body] = fetch($turn->url, $turn->headers);
    if ($body) post('/updates?ifChanged&url=' . urlencode($turn->url), $body, 'application/octet-stream');
    post('/checked', json_encode(['url' => $turn->url] + $outcome, JSON_INVALID_UTF8_SUBSTITUTE));
}
