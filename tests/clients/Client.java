// java.net.http: make an instance, read it, ask for one that is not there; print the three statuses.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.regex.Pattern;

public class Client {
    static final String URL = System.getenv("CLOUDNEXUS_BASE_URL") + "/v1/instances";
    static final String BODY = "{\"name\": \"web-1\", \"plan\": \"pro\", \"region\": \"us-east-1\", \"image\": \"ubuntu-22.04-lts\"}";
    static final HttpClient client = HttpClient.newHttpClient();

    static HttpRequest.Builder to(String url) {
        return HttpRequest.newBuilder(URI.create(url))
            .header("Authorization", "Bearer " + System.getenv("CLOUDNEXUS_API_KEY"))
            .header("Content-Type", "application/json");
    }

    static HttpResponse<String> sent(HttpRequest.Builder request) throws Exception {
        return client.send(request.build(), BodyHandlers.ofString());
    }

    public static void main(String[] arguments) throws Exception {
        var created = sent(to(URL).POST(BodyPublishers.ofString(BODY)));
        var id = Pattern.compile("inst_[0-9a-f]+").matcher(created.body());
        var read = id.find() ? sent(to(URL + "/" + id.group())).statusCode() : 0;
        var missing = sent(to(URL + "/inst_0000000000000000"));
        System.out.println(created.statusCode() + " " + read + " " + missing.statusCode());
    }
}
