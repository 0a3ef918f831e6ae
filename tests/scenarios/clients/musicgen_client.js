// The JavaScript client of the MusicGen service's documentation, exactly as it stands there. The test that runs it puts
// in the address of its server.

async function generateMusic(description, duration = 30) {
  const serverUrl = 'http://localhost:5555';
  const params = {
    description,
    duration,
    mbd: false,
    top_k: 250,
    top_p: 0.0,
    temperature: 1.0,
    cfg_coef: 3.0
  };

  try {
    // 创建EventSource连接
    const response = await fetch(`${serverUrl}/api/v1/generate_music`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json'
      },
      body: JSON.stringify(params)
    });
    
    // 使用ReadableStream读取SSE响应
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let buffer = '';
    
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      
      buffer += decoder.decode(value, { stream: true });
      
      // 处理完整的SSE消息
      const messages = buffer.split('\n\n');
      buffer = messages.pop() || '';  // 保留最后一个不完整的消息
      
      for (const message of messages) {
        if (message.startsWith('data: ')) {
          const data = JSON.parse(message.substring(6));
          
          switch (data.event) {
            case 'start':
              console.log('开始生成音乐...');
              break;
            case 'progress':
              console.log(`生成进度: ${data.progress.toFixed(2)}%`);
              break;
            case 'completed':
              console.log('音乐生成完成！');
              if (data.audio) {
                // 将Base64音频转换为Blob
                const audioBlob = base64ToBlob(data.audio, 'audio/wav');
                // 创建下载链接
                const audioUrl = URL.createObjectURL(audioBlob);
                const a = document.createElement('a');
                a.href = audioUrl;
                a.download = 'generated_music.wav';
                a.click();
                URL.revokeObjectURL(audioUrl);
              }
              return;
            case 'error':
              console.error(`错误: ${data.message || '未知错误'}`);
              return;
          }
        }
      }
    }
  } catch (error) {
    console.error('请求失败:', error);
  }
}

// 辅助函数：Base64转Blob
function base64ToBlob(base64, mimeType) {
  const byteCharacters = atob(base64);
  const byteArrays = [];
  
  for (let offset = 0; offset < byteCharacters.length; offset += 512) {
    const slice = byteCharacters.slice(offset, offset + 512);
    const byteNumbers = new Array(slice.length);
    
    for (let i = 0; i < slice.length; i++) {
      byteNumbers[i] = slice.charCodeAt(i);
    }
    
    const byteArray = new Uint8Array(byteNumbers);
    byteArrays.push(byteArray);
  }
  
  return new Blob(byteArrays, { type: mimeType });
}

// 使用示例
generateMusic('钢琴独奏带有情感的旋律', 20);
